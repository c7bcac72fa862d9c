#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct list { struct list *up; int v; char name[12]; };
static int deep(struct list *up,int n){ struct list me={up,n,"x"}; snprintf(me.name,sizeof me.name,"n%d",n); if(n==0){ int s=0; for(struct list *p=&me;p;p=p->up){ s+=p->v; printf("%s ",p->name);} return s; } int r=deep(&me,n-1); return r+me.v+(me.name[1]-'0'); }
static void each(int *v,int n,void(*f)(int*,void*),void *arg){ for(int i=0;i<n;i++) f(v+i,arg); }
static void acc(int *v,void *arg){ int *s=arg; for(int i=0;i<3;i++){ *s+=*v; printf("%d;",*s);} }
static int *pick(int *a,int *b,int c){ return c?a:b; }
static int alloc(int n){ char *p=__builtin_alloca((size_t)n); int s=0; for(int i=0;i<n;i++){ p[i]=(char)(i*3); printf("%d'",p[i]); } for(int i=0;i<n;i++) s+=p[i]; return s; }
static int aligned(int n){ _Alignas(64) char b[100]; double d[3]={1,2,3}; double *q=d; int s=0; for(int i=0;i<n;i++){ b[i]=(char)i; s+=b[i]+(int)*q; q=d+i%3; printf("%d",(int)((unsigned long)b%64)); } return s+(int)d[1]; }
static int matrix(int n){ int m[n][n]; for(int i=0;i<n;i++) for(int j=0;j<n;j++){ m[i][j]=i*j; if((i+j)%5==0) printf("m"); } int t=0; for(int i=0;i<n;i++) t+=m[i][n-1-i]; return t; }
static int compare(const void *a,const void *b){ return *(const int*)a-*(const int*)b; }
static int perm(char *s,int k,int n){ if(k==n) return 1; int c=0; for(int i=k;i<n;i++){ char t=s[k];s[k]=s[i];s[i]=t; c+=perm(s,k+1,n); t=s[k];s[k]=s[i];s[i]=t; } return c; }
static int even(int n); static int odd(int n){ return n==0?0:even(n-1)+1; } static int even(int n){ int x=n; int *p=&x; if(n==0) return 1; int r=odd(*p-1); return r+x; }
static int ack(int m,int n){ return m==0?n+1:n==0?ack(m-1,1):ack(m-1,ack(m,n-1)); }
struct acc2 { int n; double mean,m2; }; static void welford(struct acc2 *a,double x){ a->n++; double d=x-a->mean; a->mean+=d/a->n; a->m2+=d*(x-a->mean); }
static double stats(int n){ struct acc2 a={0,0,0}; for(int i=0;i<n;i++){ welford(&a,i*1.5); printf("~"); } return a.m2/a.n; }
static struct acc2 local(int n){ struct acc2 a={n,1.5,2.5}; int k[6]={0,1,2,3,4,5}; for(int i=0;i<n;i++){ a.n+=k[i%6]; k[(i+1)%6]^=i; a.mean*=1.1; printf("^"); } a.m2+=k[3]; return a; }
int main(void){ printf("%d\n",deep(0,6)); int v[]={3,1,2}; int s=0; each(v,3,acc,&s); printf("%d\n",s); int a=1,b=2; for(int i=0;i<4;i++){ int *p=pick(&a,&b,i&1); *p+=i; printf("%d %d\n",a,b);} 
 printf("%d %d %d\n",alloc(5),aligned(6),matrix(5)); int q[]={4,2,8,1}; qsort(q,4,sizeof *q,compare); for(int i=0;i<4;i++) printf("%d",q[i]); char p[]="abcd"; printf(" %d %s\n",perm(p,0,4),p); printf("%d %d\n",even(7),ack(2,2)); printf("%.6f\n",stats(6)); struct acc2 l=local(9); printf("%d %g %g\n",l.n,l.mean,l.m2); return 3; }
