#include <stdio.h>
#include <stdint.h>
struct s1 { char c; }; struct s3 { char a[3]; }; struct s8 { int a; float f; }; struct s12 { int a,b,c; };
struct s16 { long a; double d; }; struct s24 { long a,b,c; }; struct f2 { float x,y; }; struct d2 { double x,y; };
struct p1 { int *p; }; struct mix { struct s12 s; struct d2 d; short h; }; struct one { double d; };
union uu { int i; float f; struct s8 s; }; struct bits { unsigned a:5, b:11; int c:7; long d:40; };
static int tick; static void step(int n){ for(int i=0;i<n;i++) tick+=printf("%d",i%10)>0; }
static struct s1 f1(struct s1 s){ step(1); s.c++; step(1); return s; }
static struct s3 f3(struct s3 s){ step(1); s.a[1]++; step(1); return s; }
static struct s8 f8(struct s8 s){ step(1); s.a++; s.f*=2; step(1); return s; }
static struct s12 f12(struct s12 s, int k){ step(1); s.c+=k; step(1); return s; }
static struct s16 f16(struct s16 s){ step(1); s.a++; s.d/=3; step(1); return s; }
static struct s24 f24(struct s24 s){ step(1); s.a+=s.b; step(1); s.c++; return s; }
static struct f2 ff2(struct f2 s, struct d2 t){ step(1); s.x+=(float)t.y; step(1); return s; }
static struct d2 fd2(struct d2 s){ step(1); s.x+=s.y; step(1); return s; }
static struct p1 fp1(struct p1 s){ step(1); ++*s.p; step(1); return s; }
static struct mix fmix(struct mix m, struct mix n){ step(1); m.s.b+=n.s.b; m.d=fd2(n.d); step(1); m.h++; return m; }
static struct one fone(struct one o){ step(1); o.d+=1; return o; }
static union uu fuu(union uu u){ step(1); u.s.a+=7; return u; }
static struct bits fb(struct bits b){ step(1); b.a++; b.d-=3; step(1); b.c=-b.c; return b; }
static int many(struct s16 a, struct s16 b, struct s16 c, struct s16 d, struct s12 e, struct s12 f, struct s8 g, int h, struct f2 i){
  step(2); a.a+=d.a; int r=(int)(a.a+b.a+c.a+d.a)+e.a+f.b+g.a+h+(int)i.x; step(1); return r+(int)(10*(a.d+d.d))+e.c; }
static __int128 wide(__int128 v,int n){ for(int i=0;i<n;i++){ v=v*1000003+i; step(1);} return v; }
static long double ld(long double v,int n){ for(int i=0;i<n;i++){ v=v*(long double)1.5+i; step(1);} return v; }
static _Complex double cx(_Complex double z,int n){ for(int i=0;i<n;i++){ z=z*z+0.1; step(1);} return z; }
static _Bool flip(_Bool b, short s, signed char c){ step(1); return (b^(s<0))==(c<0); }
static float fl(float f,int n){ float g=f; for(int i=0;i<n;i++){ g=g*f-1; step(1);} return g; }
struct d4 { double a[4]; }; struct d3 { double x,y,z; }; struct v4 { double a; struct d3 r; };
static struct d4 fd4(struct d4 v, struct d3 w){ step(1); v.a[1]+=w.z; step(1); v.a[3]*=w.x; return v; }
static struct d3 cross(struct d3 a, struct d3 b){ struct d3 r={a.y*b.z-a.z*b.y,a.z*b.x-a.x*b.z,a.x*b.y-a.y*b.x}; step(2); r.x+=a.x; return r; }
static struct v4 (*volatile pv)(struct v4,int); static struct v4 turn(struct v4 v,int n){ for(int i=0;i<n;i++){ v.r=cross(v.r,(struct d3){1,i,2}); step(1); v.a+=v.r.y; } return v; }
static struct mix (*volatile pm)(struct mix, struct mix)=fmix;
int main(void){
  int x=5; struct s12 s={1,2,3}; struct mix m={{4,5,6},{0.5,0.25},7};
  printf(" %d",f1((struct s1){'a'}).c); printf(" %d",f3((struct s3){{1,2,3}}).a[1]); struct s8 e=f8((struct s8){3,1.5f}); printf(" %d %g",e.a,e.f);
  for(int i=0;i<3;i++) s=f12(s,i); printf(" %d",s.c); struct s16 t={10,2}; t=f16(f16(t)); printf(" %ld %g",t.a,t.d);
  struct s24 v=f24(f24((struct s24){1,2,3})); printf(" %ld %ld",v.a,v.c); struct f2 w=ff2((struct f2){1,2},(struct d2){3,4}); printf(" %g",w.x);
  struct p1 p=fp1((struct p1){&x}); printf(" %d %d",x,*p.p); m=pm(m,fmix(m,m)); printf(" %d %g %d",m.s.b,m.d.x,m.h);
  printf(" %g",fone((struct one){2}).d); union uu u; u.i=3; u=fuu(u); printf(" %d",u.i); struct bits b={3,4,5,6}; b=fb(fb(b)); printf(" %d %d %ld",(int)b.a,(int)b.c,(long)b.d);
  printf(" %d",many(t,t,t,t,s,s,e,9,w)); __int128 q=wide(12345,4); printf(" %llx%016llx",(unsigned long long)(q>>64),(unsigned long long)q);
  printf(" %.10g",(double)ld(1.25L,3)); _Complex double z=cx(0.3+0.4i,3); printf(" %g %g",__real__ z,__imag__ z); pv=turn; struct v4 q4=pv((struct v4){1,{1,2,3}},3); struct d4 r4=fd4(fd4((struct d4){{1,2,3,4}},q4.r),q4.r); printf(" %g %g %g %g\n",q4.a,q4.r.z,r4.a[1],r4.a[3]);
 printf(" %d %g\n",flip(1,-2,3),(double)fl(1.5f,4));
  return tick%256; }
