/* Sites: every poll and every call that may reach one becomes an invoke whose landing pad is its
 * own; what a pad does comes later (save.cpp). Calls keep no attribute that says they cannot unwind
 * or touch memory. */
#include "plugin.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace drover
{

static const uint32_t kindPoll = 0, kindCall = 1, kindIndirect = 2;

/* A location for code that has no line: calls in functions with debug information need one. */
DebugLoc nowhere(const Function &f)
{
	DISubprogram *sp = f.getSubprogram();

	return sp ? DebugLoc(DILocation::get(f.getContext(), 0, 0, sp)) : DebugLoc();
}

uint32_t returnClass(Type *t)
{
	while (t->isAggregateType()) {
		if (auto *s = dyn_cast<StructType>(t))
			if (s->getNumElements() == 1) {
				t = s->getElementType(0);
				continue;
			}
		if (auto *a = dyn_cast<ArrayType>(t))
			if (a->getNumElements() == 1) {
				t = a->getElementType();
				continue;
			}
		return 8;
	}
	if (t->isVoidTy())
		return 0;
	if (t->isFloatTy())
		return 4;
	if (t->isDoubleTy())
		return 5;
	if (t->isFP128Ty())
		return 6;
	/* A structure of one pointer comes back as i64 or as ptr, depending on the ISA. */
	if (t->isPointerTy())
		return 2;
	if (!t->isIntegerTy())
		return 8;
	/* 128 bits come back as i128 or as two halves. */
	unsigned bits = t->getIntegerBitWidth();
	return bits <= 32 ? 1 : bits <= 64 ? 2 : 8;
}

/* The runtime is linked into the same program: no table is needed to find it. */
Constant *runtimeVariable(Module &m, StringRef name, Type *t)
{
	Constant *c = m.getOrInsertGlobal(name, t);

	if (auto *g = dyn_cast<GlobalVariable>(c))
		g->setDSOLocal(true);
	return c;
}

FunctionCallee runtimeFunction(Module &m, StringRef name, FunctionType *t)
{
	FunctionCallee c = m.getOrInsertFunction(name, t);

	if (auto *f = dyn_cast<Function>(c.getCallee()))
		f->setDSOLocal(true);
	return c;
}

void setInlineCost(CallBase &c, int cost)
{
	c.addFnAttr(Attribute::get(c.getContext(), "call-inline-cost", std::to_string(cost)));
}

/* The line of what comes next. Addressing the common stack has none, and takes other instructions
 * on each ISA. */
static DebugLoc lineFrom(const Instruction *at)
{
	for (const Instruction *i = at; i; i = i->getNextNode())
		if (i->getDebugLoc() && i->getDebugLoc().getLine())
			return i->getDebugLoc();
	return nowhere(*at->getFunction());
}

static CallInst *insertPoll(Function &f, Instruction *at)
{
	Module &m = *f.getParent();
	Type *word = Type::getInt32Ty(m.getContext());
	Constant *flag = runtimeVariable(m, "__drover_poll", word);
	FunctionCallee slow = runtimeFunction(
		m, "__drover_poll_slow", FunctionType::get(Type::getVoidTy(m.getContext()), false));

	if (auto *g = dyn_cast<Function>(slow.getCallee()))
		g->addFnAttr(Attribute::Cold);
	DebugLoc where = lineFrom(at);
	IRBuilder<> b(at);
	b.SetCurrentDebugLocation(where);
	LoadInst *load = b.CreateAlignedLoad(word, flag, Align(4), true, "poll");
	Value *wanted = b.CreateICmpNE(load, ConstantInt::get(word, 0));
	MDNode *unlikely = MDBuilder(m.getContext()).createUnlikelyBranchWeights();
	Instruction *then = SplitBlockAndInsertIfThen(wanted, at, false, unlikely);
	b.SetInsertPoint(then);
	b.SetCurrentDebugLocation(where);
	CallInst *c = b.CreateCall(slow);
	setInlineCost(*c, -15); /* load, compare, branch */
	return c;
}

static Site makeSite(Function &f, CallInst *c, uint32_t number, uint32_t kind)
{
	Site s = {};
	const Function *callee = calledFunction(*c);

	s.number = number;
	s.kind = kind;
	s.line = c->getDebugLoc() ? c->getDebugLoc().getLine() : 0;
	if (kind == kindCall)
		s.callee = identity(*callee);
	if (f.getSubprogram() && !c->getDebugLoc())
		c->setDebugLoc(nowhere(f));
	c->setTailCallKind(CallInst::TCK_None);
	s.pad = landingPad(f);
	BasicBlock *from = c->getParent();
	s.go = changeToInvokeAndSplitBasicBlock(c, s.pad);
	s.invoke = cast<InvokeInst>(from->getTerminator());
	s.invoke->addFnAttr(Attribute::NoMerge);
	return s;
}

void makeSites(Instrumented &fn, const Migrating &mig, const std::vector<Instruction *> &at)
{
	Function &f = *fn.f;
	SmallPtrSet<CallInst *, 16> polls;
	std::vector<std::pair<CallInst *, uint32_t>> calls;

	for (Instruction *i : at)
		polls.insert(insertPoll(f, i));
	for (Instruction &i : instructions(f)) {
		auto *c = dyn_cast<CallInst>(&i);
		if (!c)
			continue;
		if (polls.count(c))
			calls.push_back({c, kindPoll});
		else if (mig.call(*c))
			calls.push_back({c, calledFunction(*c) ? kindCall : kindIndirect});
		else if (isRealCall(*c) && !calledFunction(*c))
			/* If this ever becomes a call of an instrumented function, it must
			 * stay a frame the runtime can see. */
			c->setIsNoInline();
	}
	for (auto [c, kind] : calls)
		fn.sites.push_back(makeSite(f, c, static_cast<uint32_t>(fn.sites.size()), kind));
}

} // namespace drover
