#include <stdio.h>
#include <string.h>
#include <stdlib.h>
static int fib(int n){ return n<2?n:fib(n-1)+fib(n-2); }
struct node { struct node *next; int v; };
static struct node *push(struct node *l,int v){ struct node *n=malloc(sizeof *n); n->next=l;n->v=v; return n; }
static long sum(const struct node *l){ long s=0; for(;l;l=l->next) s+=l->v; return s; }
static void swap(int *a,int *b){int t=*a;*a=*b;*b=t;}
static void sort(int *a,int n){ for(int i=0;i<n;i++) for(int j=i+1;j<n;j++) if(a[j]<a[i]) swap(a+i,a+j); }
struct pt { int x,y; }; struct big { double a; int k[5]; char c; };
static struct pt add(struct pt a, struct pt b){ struct pt r={a.x+b.x,a.y+b.y}; return r; }
static struct big grow(struct big b,int n){ for(int i=0;i<n;i++){ b.a+=i*0.5; b.k[i%5]+=i; printf("g%d ",i);} b.c='z'; return b; }
static int walk(int depth, int *out){ int local[4]={depth,depth+1,depth+2,depth+3}; if(depth==0) return 0;
  int r=walk(depth-1,&local[depth%4]); *out+=local[depth%4]+r; return r+local[0]; }
static unsigned interp(const unsigned char *code){ unsigned acc=0,pc=0; int stack[8],sp=0; for(;;){ switch(code[pc++]){
 case 0: return acc; case 1: acc+=code[pc++]; break; case 2: stack[sp++]=(int)acc; break; case 3: acc=acc*3+(unsigned)stack[--sp]; break;
 case 4: if(acc<100000) pc=0; break; default: acc^=0x5a; } } }
typedef int (*op)(int,int); static int addi(int a,int b){ int r=a; for(int i=0;i<b;i++){ r++; printf("%s", i%7==0?".":""); } return r; }
static int muli(int a,int b){ int r=0; for(int i=0;i<b;i++) r=addi(r,a); return r; }
static op ops[]={addi,muli};
union u { long l; double d; unsigned char b[8]; };
static int vla(int n){ int a[n]; int s=0; for(int i=0;i<n;i++) a[i]=i*i; for(int i=0;i<n;i++){ printf("%d,",a[i]); s+=a[i]; if(i%2){ char t[i+1]; memset(t,i,(size_t)i+1); s+=t[i/2]; } } return s; }
static long counter; static const char *names[]={"alpha","beta","gamma"};
static void count(void){ static int calls; calls++; counter+=calls; }
static double nested(int n){ double s=0; for(int i=1;i<n;i++) for(int j=1;j<n;j++) for(int k=1;k<n;k++) s+=1.0/(i+j*k); return s; }
int main(void){
  printf("fib %d\n",fib(8));
  struct node *l=0; for(int i=0;i<10;i++){ l=push(l,i*i); count(); } printf("sum %ld\n",sum(l));
  int a[]={5,2,9,1,7,3}; sort(a,6); for(int i=0;i<6;i++) printf("%d ",a[i]); printf("\n");
  struct pt p={1,2}; for(int i=0;i<4;i++){ p=add(p,(struct pt){i,i*2}); printf("(%d,%d)",p.x,p.y);} printf("\n");
  struct big b={1.5,{1,2,3,4,5},'a'}; struct big c=grow(b,4); b=grow(c,3); printf("%g %g %d %d %c\n",b.a,c.a,b.k[2],c.k[3],b.c);
  int out=0; walk(6,&out); printf("walk %d\n",out);
  unsigned char code[]={1,3,2,1,2,3,5,4,0}; printf("interp %u\n",interp(code));
  for(int i=0;i<2;i++) printf("op %d\n",ops[i](6,4));
  union u u; u.d=1.0; for(int i=0;i<3;i++){ u.b[i]+=(unsigned char)i; u.d*=1.5; printf("%lx ",u.l);} printf("\n");
  printf("vla %d\n",vla(7)); printf("nested %.12g\n",nested(6)); printf("%ld %s\n",counter,names[counter%3]);
  return (int)(counter%7);
}
