/* Variable arguments: the ISAs pass them, and keep a va_list, in ways of their own. Here both do
 * the same: the caller stores them one behind another in an area of its stack, in words of 8
 * bytes, and hands the area's address over as one more argument; a va_list is a pointer into the
 * area. In an instrumented caller the area lies on the common stack, so a va_list stays true
 * wherever it is kept.
 *
 * An argument of up to 16 bytes is stored itself, a larger one by the address of a copy. The front
 * end's side, va_start and va_arg, is bits/drover.h (binaries/musl): va_start asks for the area by
 * a call of __drover_va_area, which is replaced here.
 *
 * All code of a program goes through here, the C library included. */
#include "plugin.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace drover
{

static const char hidden[] = "drover-variadic";
static const uint64_t word = 8, byReference = 16;

/* Bytes of the area that an argument takes. */
static uint64_t room(uint64_t size)
{
	return size > byReference ? word : alignTo(size, word);
}

bool isAreaCall(const Instruction &i)
{
	if (!isRealCall(i))
		return false;
	const Function *f = calledFunction(cast<CallBase>(i));

	return f && f->getName() == "__drover_va_area";
}

bool hasArea(const Function &f)
{
	return f.hasFnAttribute(hidden);
}

bool hasArea(const CallBase &c)
{
	return c.getAttributes().hasFnAttr(hidden);
}

/* Functions in assembly that take their arguments as if they were all named. */
static bool takesRegisters(const Function &f)
{
	return f.getName() == "__clone";
}

static FunctionType *withArea(const FunctionType *t)
{
	SmallVector<Type *, 8> params(t->params());

	params.push_back(PointerType::get(t->getContext(), 0));
	return FunctionType::get(t->getReturnType(), params, false);
}

/* ---- functions ----------------------------------------------------------------------------- */

static void takeArea(Function &f)
{
	Function *g = Function::Create(withArea(f.getFunctionType()), f.getLinkage(),
				       f.getAddressSpace());
	std::vector<Instruction *> asks;

	f.getParent()->getFunctionList().insert(f.getIterator(), g);
	g->copyAttributesFrom(&f);
	g->addFnAttr(hidden);
	g->setComdat(f.getComdat());
	g->takeName(&f);
	g->splice(g->begin(), &f);
	for (unsigned i = 0; i < f.arg_size(); i++) {
		g->getArg(i)->takeName(f.getArg(i));
		f.getArg(i)->replaceAllUsesWith(g->getArg(i));
	}
	Argument *area = g->getArg(static_cast<unsigned>(f.arg_size()));
	area->setName("varargs");
	for (Instruction &i : instructions(*g))
		if (isAreaCall(i))
			asks.push_back(&i);
	for (Instruction *i : asks) {
		i->replaceAllUsesWith(area);
		i->eraseFromParent();
	}
	g->setSubprogram(f.getSubprogram());
	f.setSubprogram(nullptr);
	f.replaceAllUsesWith(g);
	f.eraseFromParent();
}

/* ---- calls --------------------------------------------------------------------------------- */

namespace
{

class Caller
{
      public:
	explicit Caller(Function &f) : f(f), dl(f.getParent()->getDataLayout())
	{
	}
	void run();

      private:
	uint64_t sizeOf(const CallInst &c, unsigned arg) const;
	void store(IRBuilder<> &b, CallInst &c, unsigned arg, uint64_t at);
	void copyLarge(IRBuilder<> &b, CallInst &c);
	Value *copy(IRBuilder<> &b, CallInst &c, unsigned arg);
	void rewrite(CallInst &c);
	AllocaInst *local(Type *t, const Twine &name);

	Function &f;
	const DataLayout &dl;
	AllocaInst *area = nullptr;
};

} // namespace

AllocaInst *Caller::local(Type *t, const Twine &name)
{
	AllocaInst *a = new AllocaInst(t, 0, name, f.getEntryBlock().begin());

	a->setAlignment(Align(16));
	return a;
}

uint64_t Caller::sizeOf(const CallInst &c, unsigned arg) const
{
	Type *byval = c.getParamByValType(arg);

	return dl.getTypeAllocSize(byval ? byval : c.getArgOperand(arg)->getType());
}

/* Of an argument over 16 bytes: x86-64 has it in memory already, AArch64 may have loaded it. */
Value *Caller::copy(IRBuilder<> &b, CallInst &c, unsigned arg)
{
	Value *v = c.getArgOperand(arg);
	Type *t = c.getParamByValType(arg);

	if (!t) {
		auto *load = dyn_cast<LoadInst>(v);
		t = v->getType();
		if (!load || load->isVolatile()) {
			AllocaInst *a = local(t, "byval-temp");
			b.CreateStore(v, a);
			return a;
		}
		v = load->getPointerOperand();
	}
	if (isFreshTemporary(v))
		return v;
	AllocaInst *a = local(t, "byval-temp");
	b.CreateMemCpy(a, a->getAlign(), v, Align(1), dl.getTypeAllocSize(t));
	return a;
}

/* AArch64's front end has copied those it hands over by address before anything else. */
void Caller::copyLarge(IRBuilder<> &b, CallInst &c)
{
	for (unsigned i = c.getFunctionType()->getNumParams(); i < c.arg_size(); i++) {
		Type *t = c.getParamByValType(i);
		if (!t || sizeOf(c, i) <= byReference || isWideHomogeneous(t, dl))
			continue;
		c.setArgOperand(i, copy(b, c, i));
		c.removeParamAttr(i, Attribute::ByVal);
	}
}

void Caller::store(IRBuilder<> &b, CallInst &c, unsigned arg, uint64_t at)
{
	Value *to = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), area, at);
	Value *v = c.getArgOperand(arg);
	uint64_t size = sizeOf(c, arg);

	if (size > byReference) {
		v = copy(b, c, arg);
	} else if (c.getParamByValType(arg)) {
		b.CreateMemCpy(to, Align(word), v, Align(1), size);
		return;
	} else if (v->getType()->isIntegerTy() && size < word) {
		v = b.CreateZExt(v, b.getInt64Ty());
	}
	b.CreateAlignedStore(v, to, Align(word));
}

/* Arguments are named ones, then the area; or all are named. */
void Caller::rewrite(CallInst &c)
{
	const FunctionType *t = c.getFunctionType();
	const Function *callee = calledFunction(c);
	unsigned named = t->getNumParams(), all = static_cast<unsigned>(c.arg_size());
	bool plain =
		callee && (takesRegisters(*callee) || (!callee->isVarArg() && !hasArea(*callee)) ||
			   (callee->isVarArg() && callee->isDeclaration() &&
			    callee->getFunctionType()->getNumParams() == 0 && named == all));
	SmallVector<Value *, 8> args(c.args());
	SmallVector<AttributeSet, 8> attributes;
	SmallVector<Type *, 8> types;
	IRBuilder<> b(&c);
	uint64_t at = 0;

	if (!plain) {
		copyLarge(b, c);
		args.truncate(named);
		for (unsigned i = named; i < all; i++) {
			store(b, c, i, at);
			at += room(sizeOf(c, i));
		}
		args.push_back(area);
	}
	for (unsigned i = 0; i < (plain ? all : named); i++)
		attributes.push_back(c.getAttributes().getParamAttrs(i));
	for (Value *v : args)
		types.push_back(v->getType());
	CallInst *n = b.CreateCall(FunctionType::get(t->getReturnType(), types, false),
				   c.getCalledOperand(), args);
	n->setAttributes(AttributeList::get(c.getContext(), c.getAttributes().getFnAttrs(),
					    c.getAttributes().getRetAttrs(), attributes));
	if (!plain)
		n->addFnAttr(Attribute::get(c.getContext(), hidden));
	n->setCallingConv(c.getCallingConv());
	n->setDebugLoc(c.getDebugLoc());
	n->takeName(&c);
	c.replaceAllUsesWith(n);
	c.eraseFromParent();
}

void Caller::run()
{
	std::vector<CallInst *> calls;
	uint64_t most = 0;

	for (Instruction &i : instructions(f)) {
		auto *c = dyn_cast<CallInst>(&i);
		if (!c || !isRealCall(i) || !c->getFunctionType()->isVarArg())
			continue;
		uint64_t size = 0;
		for (unsigned k = c->getFunctionType()->getNumParams(); k < c->arg_size(); k++)
			size += room(sizeOf(*c, k));
		most = std::max(most, size);
		calls.push_back(c);
	}
	/* fcntl, ioctl and prctl read one argument and syscall six, whatever was passed. */
	if (!calls.empty()) {
		most = std::max(most, 6 * word);
		area = local(ArrayType::get(Type::getInt64Ty(f.getContext()), most / word),
			     "varargs");
	}
	for (CallInst *c : calls)
		rewrite(*c);
}

void neutralVariadics(Module &m)
{
	std::vector<Function *> all, variadic;

	for (Function &f : m)
		if (!f.isIntrinsic())
			all.push_back(&f);
	for (Function *f : all)
		if (!f->isDeclaration())
			Caller(*f).run();
	/* An unprototyped declaration stays as it is: nobody knows what it takes. */
	for (Function *f : all)
		if (f->isVarArg() && !takesRegisters(*f) &&
		    (!f->isDeclaration() || f->getFunctionType()->getNumParams()))
			variadic.push_back(f);
	for (Function *f : variadic)
		takeArea(*f);
}

} // namespace drover
