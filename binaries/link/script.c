/*
 * Within an output section of lld `. = N` is an absolute address, so that one
 * script an ISA with the same numbers in both puts every pair at one address.
 */
#include "binaries/link/script.h"

#include <errno.h>

#include "common/compiler.h"

/* Output sections of the shared part, by region. */
static const struct {
	const char *name, *segment;
} outputs[REGION_COUNT] = {
	[REGION_RODATA] = {".drover.rodata", "shared_r"},
	[REGION_TEXT] = {".drover.text", "shared_x"},
	[REGION_COLD] = {".drover.text.cold", "shared_x"},
	[REGION_RELRO] = {".drover.data.rel.ro", "shared_w"},
	[REGION_FNS] = {"drover_fns", "shared_w"},
	[REGION_HOME] = {".drover.home", "shared_w"},
	[REGION_DATA] = {".drover.data", "shared_w"},
	[REGION_BSS] = {".drover.bss", "shared_w"},
	[REGION_HOMEBSS] = {".drover.homebss", "shared_w"},
};

static const char headers[] = "ENTRY(_start)\n"
			      "PHDRS {\n"
			      "  phdrs PT_PHDR PHDRS;\n"
			      "  shared_r PT_LOAD FILEHDR PHDRS FLAGS(4);\n"
			      "  shared_x PT_LOAD FLAGS(5);\n"
			      "  shared_w PT_LOAD FLAGS(6);\n"
			      "  own_x PT_LOAD FLAGS(5);\n"
			      "  own_r PT_LOAD FLAGS(4);\n"
			      "  own_w PT_LOAD FLAGS(6);\n"
			      "  unwind PT_GNU_EH_FRAME FLAGS(4);\n"
			      "  stack PT_GNU_STACK FLAGS(6);\n"
			      "}\n"
			      "SECTIONS {\n";

/* lld sorts the unwinder's index by unsigned distance, so that all code must lie on one side of it.
 */
static const char private_part[] =
	"  .init : { KEEP(*(.init)) } :own_x\n"
	"  .text : { *(.text .text.*) } :own_x\n"
	"  .fini : { KEEP(*(.fini)) } :own_x\n"
	"  .iplt : { *(.iplt) } :own_x\n"
	"  . = ALIGN(0x10000);\n"
	"  .rodata : { *(.rodata .rodata.*) } :own_r\n"
	"  .eh_frame_hdr : { *(.eh_frame_hdr) } :own_r :unwind\n"
	"  .eh_frame : { KEEP(*(.eh_frame)) } :own_r\n"
	"  .gcc_except_table : { *(.gcc_except_table .gcc_except_table.*) } :own_r\n"
	"  . = ALIGN(0x10000);\n"
	"  .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) } :own_w\n"
	"  .preinit_array : { KEEP(*(.preinit_array)) } :own_w\n"
	"  .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array)) } "
	":own_w\n"
	"  .fini_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*))) KEEP(*(.fini_array)) } "
	":own_w\n"
	"  .ctors : { KEEP(*(.ctors)) } :own_w\n"
	"  .dtors : { KEEP(*(.dtors)) } :own_w\n"
	"  .got : { *(.got .got.*) } :own_w\n"
	"  .data : { *(.data .data.*) } :own_w\n"
	"  .bss : { *(.bss .bss.*) *(COMMON) } :own_w\n"
	"  .state_transform 0 : { KEEP(*(.state_transform)) }\n"
	"  /DISCARD/ : { *(.comment) *(.note.*) *(.drover.*) }\n"
	"}\n";

/* One input section: found by its name alone, or by its file as well. */
static int input(struct buf *b, const struct slot *s, const struct map_section *sec)
{
	if (s->by_name)
		return buf_printf(b, "    . = 0x%llx; KEEP(*(%s))\n", (unsigned long long)s->addr,
				  sec->name);
	return buf_printf(b, "    . = 0x%llx; KEEP(\"%s%s%s\"(%s))\n", (unsigned long long)s->addr,
			  sec->file, sec->member ? ":" : "", sec->member ? sec->member : "",
			  sec->name);
}

/* Bytes of what only the other ISA has: a constant its compiler alone has kept, or a static
 * variable. */
static int graft(struct buf *b, const struct slot *s)
{
	int bad = buf_printf(b, "    . = 0x%llx;", (unsigned long long)s->addr);

	for (uint64_t i = 0; i < s->size && !bad; i++)
		bad = buf_printf(b, "%s BYTE(%u)", i % 16 ? "" : "\n    ", s->graft[i]);
	return bad | buf_str(b, "\n");
}

static int region(struct buf *b, const struct layout *l, int r, enum isa isa)
{
	unsigned long long start = l->start[r], end = l->end[r];
	int bad =
		buf_printf(b, "  %s 0x%llx : {\n    . = 0x%llx;\n", outputs[r].name, start, start);

	/* The table's pieces have one name each file and follow each other without gaps. */
	if (r == REGION_FNS)
		return bad | buf_printf(b,
					"    __start_drover_fns = .;\n"
					"    KEEP(*(drover_fns))\n"
					"    __stop_drover_fns = .;\n"
					"  } :%s\n",
					outputs[r].segment);
	if (r == REGION_DATA)
		bad |= buf_str(b, "    __drover_data_start = .;\n");
	for (size_t i = 0; i < l->n && !bad; i++)
		if (l->slots[i].region != (enum region)r)
			continue;
		else if (l->slots[i].sec[isa])
			bad |= input(b, &l->slots[i], l->slots[i].sec[isa]);
		else if (l->slots[i].graft)
			bad |= graft(b, &l->slots[i]);
	if (r == REGION_RODATA)
		bad |= buf_printf(b,
				  "    . = 0x%llx; __drover_build_id = .;\n"
				  "    QUAD(0) QUAD(0) QUAD(0) QUAD(0)\n",
				  (unsigned long long)l->build_id);
	bad |= buf_printf(b, "    . = 0x%llx;\n", end);
	if (r == REGION_BSS)
		bad |= buf_str(b, "    __drover_data_end = .;\n");
	return bad | buf_printf(b, "  } :%s\n", outputs[r].segment);
}

int script_final(struct buf *b, const struct layout *l, enum isa isa)
{
	int bad = buf_str(b, headers);

	for (int r = 0; r < REGION_COUNT && !bad; r++)
		bad |= region(b, l, r, isa);
	bad |= buf_printf(b, "  . = 0x%llx;\n", (unsigned long long)l->private_base);
	bad |= buf_str(b, private_part);
	return bad ? -ENOMEM : 0;
}

int script_keep(struct buf *b, const struct strv *names)
{
	static const char *const after[REGION_COUNT] = {
		[REGION_RODATA] = ".rodata", [REGION_TEXT] = ".text", [REGION_COLD] = ".text",
		[REGION_RELRO] = ".data",    [REGION_FNS] = ".data",  [REGION_DATA] = ".data",
		[REGION_BSS] = ".bss",
	};
	int bad = 0;

	for (int r = 0; r < REGION_COUNT; r++) {
		bool any = false;

		for (size_t i = 0; i < names->n && after[r]; i++) {
			if (region_of(names->v[i]) != (enum region)r)
				continue;
			if (!any)
				bad |= buf_printf(b, "SECTIONS {\n  .drover.keep.%d : {\n", r);
			any = true;
			bad |= buf_printf(b, "    KEEP(*(%s))\n", names->v[i]);
		}
		if (any)
			bad |= buf_printf(b, "  }\n} INSERT AFTER %s;\n", after[r]);
	}
	return bad ? -ENOMEM : 0;
}
