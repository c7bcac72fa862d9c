#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int a[20000]; static double d[10000]; static unsigned char sieve[30000];
static long sumto(const int *p,int n){ long s=0; for(int i=0;i<n;i++) s+=p[i]; return s; }
static void fill(int *p,unsigned n,int k){ for(unsigned i=0;i<n;i++) p[i]=(int)i*k; }
static double dot(const double *x,int n){ double s=0; for(int i=n-1;i>=0;i--) s+=x[i]*x[i]; return s; }
static int find(const int *p,int n,int v){ for(int i=0;i<n;i++) if(p[i]==v) return i; return -1; }
static int collatz(long n){ int c=0; while(n!=1){ n=n&1?3*n+1:n/2; c++; } return c; }
static int primes(int n){ memset(sieve,1,(size_t)n); int c=0; for(int i=2;i<n;i++) if(sieve[i]){ c++; for(int j=2*i;j<n;j+=i) sieve[j]=0; } return c; }
static int gotos(int n){ int i=0,s=0; again: if(i>=n) goto out; s+=i; i+=3; if(s&1) goto again; s++; goto again; out: return s; }
static int dowhile(int n){ int s=0; do { s+=n; n-=2; if(n==7) continue; s^=n; } while(n>0); return s; }
static void step2(short *p,int n){ for(int i=0;i<n;i+=2) p[i]=(short)(p[i]+i); }
static unsigned char bytes(unsigned char n){ unsigned char s=0; for(unsigned char i=0;i<n;i++) s=(unsigned char)(s+i); return s; }
static int minmax(const int *p,int n,int *mn,int *mx){ *mn=*mx=p[0]; for(int i=1;i<n;i++){ if(p[i]<*mn)*mn=p[i]; if(p[i]>*mx)*mx=p[i]; } return *mx-*mn; }
static int triangle(int n){ int c=0; for(int i=0;i<n;i++) for(int j=i;j<n;j++) for(int k=0;k<3;k++) c+=i^j^k; return c; }
static int brk(int n){ int c=0; for(int i=0;i<n;i++){ for(int j=0;j<n;j++){ if(i*j>50) break; if((i+j)&1) continue; c+=j; } if(c>400) break; } return c; }
static int collect(int n){ int lo[16]; int hi[16]; int top=0,c=0; lo[0]=0;hi[0]=n; top=1; while(top){ top--; int l=lo[top],h=hi[top]; c+=h-l; if(h-l<2) continue; int m=(l+h)/2; lo[top]=l;hi[top]=m;top++; lo[top]=m;hi[top]=h;top++; } return c; }
int main(int argc,char **argv){ (void)argv;
 for(int r=0;r<2;r++){ fill(a,20000,r+argc); printf("%ld\n",sumto(a,20000)); for(int i=0;i<10000;i++) d[i]=i*0.001+r; printf("%.10g\n",dot(d,10000)); printf("%d\n",find(a,20000,9000)); }
 printf("%d %d %d %d\n",collatz(97),primes(30000),gotos(50),dowhile(31)); static short sh[9000]; step2(sh,9000); long t=0; for(int i=0;i<9000;i++) t+=sh[i]; printf("%ld %d\n",t,bytes(200));
 int mn,mx; printf("%d",minmax(a,20000,&mn,&mx)); printf(" %d %d\n",mn,mx); printf("%d %d %d\n",triangle(8),brk(12),collect(9)); return 0; }
