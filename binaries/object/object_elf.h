/* Section names of a multi-ISA object, shared by its reader and its writer. */
#ifndef DROVER_OBJECT_ELF_H
#define DROVER_OBJECT_ELF_H

enum object_section {
	OBJECT_X86_64,
	OBJECT_AARCH64,
	OBJECT_CALLS,
	OBJECT_OPTIONS,
	OBJECT_SECTIONS
};

/* In the member that makes an archive a library of -shared. */
#define OBJECT_NEEDED ".drover.needed"

extern const char *const object_section_names[OBJECT_SECTIONS];

#endif
