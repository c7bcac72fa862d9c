/* Aggregates by value: x86-64 passes them in memory of the call (`byval`) where AArch64 passes
 * a pointer to the caller's copy or registers. Both are brought to one form:
 *
 *   over 16 bytes           the caller copies and passes a plain pointer, as on AArch64
 *   up to 16 bytes, or
 *   3-4 equal floats        in registers on AArch64: the callee copies into a local at once,
 *                           so that the native argument area is dead before any site
 *
 * 3-4 equal floats returned: in registers on AArch64, so x86-64 returns the value itself too,
 * instead of storing it where a pointer of the caller says.
 *
 * All code of a program goes through here, the C library included. AArch64 modules have nothing
 * of this and pass through unchanged. */
#include "plugin.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace drover
{

static bool flatten(Type *t, SmallVectorImpl<Type *> &out)
{
	if (auto *s = dyn_cast<StructType>(t)) {
		for (Type *e : s->elements())
			if (!flatten(e, out))
				return false;
		return true;
	}
	if (auto *a = dyn_cast<ArrayType>(t)) {
		if (a->getNumElements() > 4)
			return false;
		for (uint64_t i = 0; i < a->getNumElements(); i++)
			if (!flatten(a->getElementType(), out))
				return false;
		return true;
	}
	out.push_back(t);
	return out.size() <= 4;
}

bool isWideHomogeneous(Type *t, const DataLayout &dl)
{
	SmallVector<Type *, 4> parts;

	if (!t->isAggregateType() || dl.getTypeAllocSize(t) <= 16 || !flatten(t, parts) ||
	    parts.empty())
		return false;
	for (Type *p : parts)
		if (p != parts[0] || !(p->isFloatingPointTy() || p->isVectorTy()))
			return false;
	return true;
}

/* What AArch64 hands over in registers. */
static bool inRegisters(Type *t, const DataLayout &dl)
{
	return dl.getTypeAllocSize(t) <= 16 || isWideHomogeneous(t, dl);
}

static AllocaInst *localCopy(Function &f, Type *t, MaybeAlign align, const Twine &name)
{
	AllocaInst *a = new AllocaInst(t, 0, name, f.getEntryBlock().begin());

	a->setAlignment(std::max(align.valueOrOne(), a->getAlign()));
	return a;
}

/* The front end's stores of scalar arguments, and the copies made here. */
static bool storesEarlierArgument(const Instruction &i, const Argument &arg)
{
	const Argument *a = nullptr;

	if (auto *s = dyn_cast<StoreInst>(&i))
		a = dyn_cast<Argument>(s->getValueOperand());
	else if (auto *c = dyn_cast<MemCpyInst>(&i))
		a = dyn_cast<Argument>(c->getRawSource());
	return a && a->getArgNo() < arg.getArgNo() && a->hasByValAttr() == isa<MemCpyInst>(i);
}

/* Where AArch64 stores this argument: behind the ones before it. Stack data is numbered by first
 * use, so the place matters. */
static BasicBlock::iterator argumentPlace(Function &f, const Argument &arg)
{
	BasicBlock &entry = f.getEntryBlock();
	BasicBlock::iterator at = entry.getFirstInsertionPt();

	while (isa<AllocaInst>(&*at))
		++at;
	for (BasicBlock::iterator i = at; i != entry.end(); ++i) {
		if (!storesEarlierArgument(*i, arg))
			continue;
		at = std::next(i);
		/* From the temporary it came in to its variable. */
		while (isa<MemCpyInst>(&*at))
			++at;
	}
	return at;
}

static void copyAtEntry(Function &f, Argument &arg, Type *t, const DataLayout &dl)
{
	std::string name = arg.getName().str();
	AllocaInst *a = localCopy(f, t, arg.getParamAlign(), name);

	arg.setName(name + ".in");
	a->setName(name);
	arg.replaceAllUsesWith(a);
	IRBuilder<> b(&f.getEntryBlock(), argumentPlace(f, arg));
	b.SetCurrentDebugLocation(nowhere(f));
	b.CreateMemCpy(a, a->getAlign(), &arg, arg.getParamAlign(), dl.getTypeAllocSize(t));
}

static void definition(Function &f, const DataLayout &dl)
{
	std::vector<Argument *> plain;

	for (Argument &arg : f.args()) {
		Type *t = arg.getParamByValType();
		if (t && !inRegisters(t, dl))
			plain.push_back(&arg);
		else if (t && !f.isDeclaration())
			copyAtEntry(f, arg, t, dl);
	}
	for (Argument *arg : plain)
		arg->removeAttr(Attribute::ByVal);
}

/* It is the copy already. */
bool isFreshTemporary(const Value *v)
{
	auto *a = dyn_cast<AllocaInst>(v);

	return a && a->getName().starts_with("agg.tmp");
}

static void call(CallBase &c, const DataLayout &dl)
{
	for (unsigned i = 0; i < c.arg_size(); i++) {
		Type *t = c.getParamByValType(i);
		if (!t || inRegisters(t, dl))
			continue;
		Value *from = c.getArgOperand(i);
		if (!isFreshTemporary(from)) {
			MaybeAlign align = c.getParamAlign(i);
			AllocaInst *a = localCopy(*c.getFunction(), t, align, "byval-temp");
			IRBuilder<> b(&c);
			b.CreateMemCpy(a, a->getAlign(), from, align, dl.getTypeAllocSize(t));
			c.setArgOperand(i, a);
		}
		/* va_arg of the callee looks for it in the argument area. */
		if (i < c.getFunctionType()->getNumParams())
			c.removeParamAttr(i, Attribute::ByVal);
	}
}

/* ---- wide homogeneous results -------------------------------------------------------------- */

static Type *wideResult(const FunctionType *t, const AttributeList &attrs, const DataLayout &dl)
{
	Type *s = t->getNumParams() ? attrs.getParamStructRetType(0) : nullptr;

	return s && isWideHomogeneous(s, dl) ? s : nullptr;
}

static FunctionType *directType(const FunctionType *t, Type *result)
{
	return FunctionType::get(result, t->params().drop_front(), t->isVarArg());
}

static AttributeList directAttributes(LLVMContext &ctx, const AttributeList &old, unsigned params)
{
	SmallVector<AttributeSet, 8> rest;

	for (unsigned i = 1; i < params; i++)
		rest.push_back(old.getParamAttrs(i));
	return AttributeList::get(ctx, old.getFnAttrs(), AttributeSet(), rest);
}

static void returnDirectly(Function &f, Type *result)
{
	FunctionType *t = directType(f.getFunctionType(), result);
	Function *g = Function::Create(t, f.getLinkage(), f.getAddressSpace());

	f.getParent()->getFunctionList().insert(f.getIterator(), g);
	g->copyAttributesFrom(&f);
	g->setAttributes(directAttributes(f.getContext(), f.getAttributes(),
					  static_cast<unsigned>(f.arg_size())));
	g->setComdat(f.getComdat());
	g->takeName(&f);
	g->splice(g->begin(), &f);
	for (unsigned i = 1; i < f.arg_size(); i++) {
		g->getArg(i - 1)->takeName(f.getArg(i));
		f.getArg(i)->replaceAllUsesWith(g->getArg(i - 1));
	}
	if (!g->isDeclaration()) {
		AllocaInst *a = localCopy(*g, result, f.getParamAlign(0), "retval");
		f.getArg(0)->replaceAllUsesWith(a);
		for (BasicBlock &b : *g)
			if (auto *ret = dyn_cast<ReturnInst>(b.getTerminator())) {
				IRBuilder<> at(ret);
				at.CreateRet(at.CreateLoad(result, a));
				ret->eraseFromParent();
			}
	}
	g->setSubprogram(f.getSubprogram());
	f.setSubprogram(nullptr);
	f.replaceAllUsesWith(g);
	f.eraseFromParent();
}

static void takeDirectly(CallInst &c, Type *result)
{
	FunctionType *t = directType(c.getFunctionType(), result);
	SmallVector<Value *, 8> args(drop_begin(c.args()));
	IRBuilder<> b(&c);

	CallInst *direct = b.CreateCall(t, c.getCalledOperand(), args);
	direct->setAttributes(directAttributes(c.getContext(), c.getAttributes(),
					       static_cast<unsigned>(c.arg_size())));
	direct->setCallingConv(c.getCallingConv());
	direct->setDebugLoc(c.getDebugLoc());
	b.CreateAlignedStore(direct, c.getArgOperand(0), c.getParamAlign(0));
	c.eraseFromParent();
}

static void neutralResults(Module &m)
{
	const DataLayout &dl = m.getDataLayout();
	std::vector<std::pair<CallInst *, Type *>> calls;
	std::vector<std::pair<Function *, Type *>> functions;

	for (Function &f : m) {
		if (Type *t = wideResult(f.getFunctionType(), f.getAttributes(), dl))
			functions.push_back({&f, t});
		for (Instruction &i : instructions(f))
			if (auto *c = dyn_cast<CallInst>(&i))
				if (Type *t = wideResult(c->getFunctionType(), c->getAttributes(),
							 dl))
					calls.push_back({c, t});
	}
	for (auto [c, t] : calls)
		takeDirectly(*c, t);
	for (auto [f, t] : functions)
		returnDirectly(*f, t);
}

void neutralCalls(Module &m)
{
	if (!nativeVariadics())
		neutralVariadics(m);
	const DataLayout &dl = m.getDataLayout();
	std::vector<CallBase *> calls;

	for (Function &f : m) {
		for (Instruction &i : instructions(f))
			if (isRealCall(i))
				calls.push_back(cast<CallBase>(&i));
		definition(f, dl);
	}
	for (CallBase *c : calls)
		call(*c, dl);
	neutralResults(m);
}

} // namespace drover
