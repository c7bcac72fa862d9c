/*
 * Sockets that another kernel can make again: IP on loopback and abstract Unix names, as long as
 * nobody outside the program is connected to them. docs/formats/image.md, section 4, SOCKET. Used
 * by objects.c and files_*.c.
 */
#ifndef DROVER_RT_SOCKETS_H
#define DROVER_RT_SOCKETS_H

#include "migrator/rt/objects.h"

/* object_origin.made of a socket. */
#define SOCKET_MADE(family, type, protocol)                                                        \
	((uint64_t)(family) | (uint64_t)((type) & 15) << 8 | (uint64_t)(protocol) << 16)
#define SOCKET_FAMILY(made)   ((int)((made) & 255))
#define SOCKET_TYPE(made)     ((int)((made) >> 8 & 15))
#define SOCKET_PROTOCOL(made) ((int)((made) >> 16 & 0xffff))

/* One option that is carried: what setsockopt(2) names it. */
struct socket_option {
	int level, name;
	uint32_t size;
};
extern const struct socket_option socket_options[DROVER_SOCKET_OPTIONS];

/* The place of an option in the table; -1: it is not carried; -2: it says nothing lasting. */
int socket_option_place(int level, int name);

/* Before sockets are described: what has arrived is acknowledged. */
void socket_settle(long fd);

/* Of a socket the program made itself; s is filled in too. */
enum capture_verdict socket_describe(long fd, const struct object_origin *o,
				     struct drover_image_file *d, struct drover_image_socket *s,
				     struct text *why);

/* Whether two connected sockets are the ends of one connection. */
bool socket_ends(const struct drover_image_socket *a, const struct drover_image_socket *b);

/* That nobody in the program has the other end. */
enum capture_verdict socket_alone(long fd, const struct drover_image_socket *s, struct text *why);

/* A connection within the program: both ends, d's number the lower. 0 or a negative errno. */
long socket_make_connection(const struct drover_image_file *d, const struct drover_image_file *peer,
			    int image_in, long above);
/* Any other. */
long socket_make(const struct drover_image_file *d, int image_in, long above);
/* When all are there. */
long socket_finish(const struct drover_image_file *d, int image_in);

#endif
