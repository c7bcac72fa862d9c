/* Aggregates by value: x86-64 passes them in memory of the call (`byval`) where AArch64 passes
 * a pointer to the caller's copy or registers. Both are brought to one form:
 *
 *   over 16 bytes           the caller copies and passes a plain pointer, as on AArch64
 *   up to 16 bytes, or
 *   3-4 equal floats        in registers on AArch64: the callee copies into a local at once,
 *                           so that the native argument area is dead before any site
 *
 * AArch64 modules have no byval and pass through unchanged. */
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

static bool storesEarlierArgument(const Instruction &i, const Argument &arg)
{
	if (!isa<StoreInst>(i) && !isa<MemCpyInst>(i))
		return false;
	for (const Value *v : i.operand_values())
		if (auto *a = dyn_cast<Argument>(v))
			if (a->getArgNo() < arg.getArgNo())
				return true;
	return false;
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
	for (Argument &arg : f.args()) {
		Type *t = arg.getParamByValType();
		if (!t)
			continue;
		if (!inRegisters(t, dl))
			arg.removeAttr(Attribute::ByVal);
		else if (!f.isDeclaration())
			copyAtEntry(f, arg, t, dl);
	}
}

/* A temporary the front end made for this argument is the copy already. */
static bool isFreshTemporary(const Value *v)
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

void neutralCalls(Module &m)
{
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
}

} // namespace drover
