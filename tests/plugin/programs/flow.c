#include <stdio.h>
#include <stdint.h>
typedef int v4 __attribute__((vector_size(16)));
static v4 vec(v4 a,int n){ for(int i=0;i<n;i++){ a=a*3+(v4){i,1,2,3}; printf("v"); } return a; }
static int dispatch(const unsigned char *code){ static void *const labels[]={&&inc,&&dbl,&&dec,&&out}; int acc=1; printf("c"); goto *labels[*code++]; inc: acc++; printf("i"); goto *labels[*code++]; dbl: acc*=2; goto *labels[*code++]; dec: acc-=3; printf("d"); goto *labels[*code++]; out: return acc; }
static int sw(int n){ int s=0; for(int i=0;i<n;i++){ switch(i%5){ case 0: s+=2; break; case 1: s*=3; /* fall */ case 2: s-=1; break; case 3: for(int j=0;j<i;j++){ if(j==4) break; s^=j; } break; default: continue; } printf("%d ",s);} return s; }
static int shortc(int a,int b){ int r=0; for(int i=0;i<6;i++){ if((a>i && printf("a"))||(b>i && printf("b"))) r+=i; r=i&1?r*2:r-1; } return r; }
static uint64_t mixu(uint64_t x,int n){ uint8_t a=(uint8_t)x; uint16_t b=(uint16_t)x; int8_t c=(int8_t)x; _Bool f=0; for(int i=0;i<n;i++){ a=(uint8_t)(a*7+1); b=(uint16_t)(b^(a<<3)); c=(int8_t)(c-a); f=!f; x=x*6364136223846793005u+(f?a:b)+(uint64_t)c; printf("."); } return x; }
static const char *word(int i){ switch(i){ case 0: return "zero"; case 1: return "one"; default: return "many"; } }
static volatile int vol; static int vols(int n){ volatile int x=n; int s=0; while(x>0){ x--; vol=x; s+=vol; printf("x"); } return s; }
static int comma(int n){ int i,j,s=0; for(i=0,j=n;i<j;i++,j--){ s+=i*j; if(s>30){ printf("!"); } else { printf("?"); } } return s; }
static int (*table[3])(int)={sw,comma,vols};
static double horner(const double *c,int n,double x){ double r=0; for(int i=n;i-->0;){ r=r*x+c[i]; printf("h"); } return r; }
static int never(const char *fmt, ...){ __builtin_va_list ap; __builtin_va_start(ap,fmt); int s=0; for(;*fmt;fmt++) s+=__builtin_va_arg(ap,int); __builtin_va_end(ap); return s; }
int main(void){ v4 v=vec((v4){1,2,3,4},4); printf("%d %d %d %d\n",v[0],v[1],v[2],v[3]); unsigned char c[]={0,1,1,0,2,3}; printf("%d\n",dispatch(c)); for(int i=0;i<3;i++) printf("= %d\n",table[i](7)); printf("%d %llx\n",shortc(2,4),(unsigned long long)mixu(42,7)); for(int i=0;i<3;i++) printf("%s ",word(i)); double co[]={1,2,3,4}; printf("%g %d\n",horner(co,4,0.5),never("abc",1,2,3)); return 9; }
