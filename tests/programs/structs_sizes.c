/* Structs of every size from 1 to 64 bytes passed and returned by value, kept across a loop. */
#include "sum.h"

#define SIZE(n)                                                                                    \
	struct s##n {                                                                              \
		unsigned char b[n];                                                                \
	};                                                                                         \
	static struct s##n pass##n(struct s##n s, int rounds)                                      \
	{                                                                                          \
		struct s##n t = s;                                                                 \
		if (rounds == 0)                                                                   \
			return s;                                                                  \
		t.b[rounds % n] = (unsigned char)(t.b[0] * 5 + s.b[n - 1] + rounds);               \
		t = pass##n(t, rounds - 1);                                                        \
		t.b[n - 1] ^= s.b[rounds % n];                                                     \
		return t;                                                                          \
	}                                                                                          \
	static uint64_t try##n(uint64_t h)                                                         \
	{                                                                                          \
		struct s##n s;                                                                     \
		for (int i = 0; i < n; i++)                                                        \
			s.b[i] = (unsigned char)(h >> (i % 8 * 8));                                \
		s = pass##n(s, some(2));                                                           \
		for (int i = 0; i < n; i++)                                                        \
			h = mix(h, s.b[i]);                                                        \
		return h;                                                                          \
	}

SIZE(1)
SIZE(2)
SIZE(3)
SIZE(4)
SIZE(5) SIZE(6) SIZE(7) SIZE(8) SIZE(9) SIZE(10) SIZE(11) SIZE(12) SIZE(13) SIZE(14) SIZE(15)
	SIZE(16) SIZE(17) SIZE(18) SIZE(19) SIZE(20) SIZE(21) SIZE(22) SIZE(23) SIZE(24) SIZE(25)
		SIZE(31) SIZE(32) SIZE(33) SIZE(39) SIZE(40) SIZE(41) SIZE(47) SIZE(48) SIZE(49)
			SIZE(55) SIZE(56) SIZE(57) SIZE(63) SIZE(64)

				int main(void)
{
	uint64_t h = SUM_START;

#define RUN(n)                                                                                     \
	h = try##n(h);                                                                             \
	show(#n, h);

	RUN(1)
	RUN(2)
	RUN(3)
	RUN(4)
	RUN(5) RUN(6) RUN(7) RUN(8) RUN(9) RUN(10) RUN(11) RUN(12) RUN(13) RUN(14) RUN(15) RUN(16)
		RUN(17) RUN(18) RUN(19) RUN(20) RUN(21) RUN(22) RUN(23) RUN(24) RUN(25) RUN(31)
			RUN(32) RUN(33) RUN(39) RUN(40) RUN(41) RUN(47) RUN(48) RUN(49) RUN(55)
				RUN(56) RUN(57) RUN(63) RUN(64) return 0;
}
