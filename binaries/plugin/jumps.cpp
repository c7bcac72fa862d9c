/* setjmp in functions that may be rebuilt.
 *
 * Registers cannot travel, so the program's jump buffer does not hold them: it holds the address
 * of a node on the common stack, one per call of setjmp in an activation, into which the native
 * setjmp stores. After a rebuild the resume clone fills the nodes in use again, by calling the
 * native setjmp from its own frame; from then on a longjmp, to the buffer or to a copy of it, ends
 * in the clone, behind the setjmp. A jump is thus the C library's own, whether the frame has moved
 * or not.
 *
 * Behind each setjmp (`again`) control can come from any call made after it. The data flow of
 * live.cpp and bytes.cpp gets these edges; a value they would carry past its definition's reach
 * is kept in memory (keepAcrossJumps). */
#include "plugin.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace drover
{

/* A node: the native buffer of 22 words, whether it is in use, the common stack pointer.
 * binaries/musl: longjmp takes word 0 for a node's address if word 12, where a native buffer has
 * the common stack pointer, is this mark. */
static const unsigned nativeWords = 22, armedWord = 22, topWord = 23, nodeWords = 24;
static const unsigned nodeField = 0, markField = 12, mark = 1;

static bool isSetjmpName(StringRef n)
{
	return n == "setjmp" || n == "_setjmp" || n == "__setjmp" || n == "sigsetjmp" ||
	       n == "__sigsetjmp";
}

bool isSetjmp(const CallBase &c)
{
	const Function *f = isRealCall(c) ? calledFunction(c) : nullptr;

	return f && isSetjmpName(f->getName()) && isa<CallInst>(c) &&
	       c.arg_size() == (f->getName().ends_with("sigsetjmp") ? 2 : 1) &&
	       c.getType()->isIntegerTy(32);
}

static Value *word(IRBuilder<> &b, Value *p, unsigned n)
{
	return b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), p, n);
}

/* The mask that sigsetjmp keeps in the buffer: stored on the first return, put back on others. */
static Value *maskCall(IRBuilder<> &b, Module &m, CallInst &old, Value *result)
{
	Type *word32 = b.getInt32Ty();
	FunctionCallee f =
		runtimeFunction(m, "__drover_jump_mask",
				FunctionType::get(word32, {b.getPtrTy(), word32, word32}, false));
	CallInst *c = b.CreateCall(f, {old.getArgOperand(0), old.getArgOperand(1), result});

	c->setDoesNotThrow();
	return c;
}

static Jump lower(Function &f, CallInst &old)
{
	Module &m = *f.getParent();
	Type *node = ArrayType::get(Type::getInt64Ty(m.getContext()), nodeWords);
	BasicBlock::iterator at = f.getEntryBlock().begin();
	Jump j = {};

	AllocaInst *a = new AllocaInst(node, 0, "jump", at);
	a->setAlignment(Align(16));
	while (isa<AllocaInst>(&*at))
		++at;
	IRBuilder<> b(&f.getEntryBlock(), at);
	b.SetCurrentDebugLocation(nowhere(f));
	b.CreateAlignedStore(b.getInt64(0), word(b, a, armedWord), Align(8));

	b.SetInsertPoint(&old);
	Value *env = old.getArgOperand(0);
	b.CreateAlignedStore(a, word(b, env, nodeField), Align(8));
	b.CreateAlignedStore(b.getInt64(mark), word(b, env, markField), Align(8));
	b.CreateAlignedStore(b.getInt64(1), word(b, a, armedWord), Align(8));
	Value *top = b.CreateIntrinsic(Intrinsic::stacksave, {b.getPtrTy()}, {});
	b.CreateAlignedStore(top, word(b, a, topWord), Align(8));
	FunctionCallee native = runtimeFunction(
		m, "setjmp", FunctionType::get(b.getInt32Ty(), {b.getPtrTy()}, false));
	j.call = b.CreateCall(native, {a});
	j.call->addFnAttr(Attribute::ReturnsTwice);
	j.call->addFnAttr(Attribute::NoUnwind);
	j.call->setDebugLoc(old.getDebugLoc());
	j.again = SplitBlock(old.getParent(), &old);
	b.SetInsertPoint(&old);
	top = b.CreateAlignedLoad(b.getPtrTy(), word(b, a, topWord), Align(8));
	b.CreateIntrinsic(Intrinsic::stackrestore, {b.getPtrTy()}, {top});
	Value *result = j.call;
	if (old.arg_size() == 2)
		result = maskCall(b, m, old, result);
	old.replaceAllUsesWith(result);
	old.eraseFromParent();
	return j;
}

Value *armedAddress(IRBuilder<> &b, Value *node)
{
	return word(b, node, armedWord);
}

void findReach(Jump &j)
{
	SmallVector<BasicBlock *, 32> work = {j.again};

	j.reach.clear();
	while (!work.empty()) {
		BasicBlock *b = work.pop_back_val();
		if (!j.reach.insert(b).second)
			continue;
		for (BasicBlock *next : successors(b))
			work.push_back(next);
	}
}

std::vector<Jump> lowerJumps(Function &f)
{
	std::vector<CallInst *> calls;
	std::vector<Jump> jumps;

	for (Instruction &i : instructions(f))
		if (auto *c = dyn_cast<CallInst>(&i))
			if (isSetjmp(*c))
				calls.push_back(c);
	for (CallInst *c : calls)
		jumps.push_back(lower(f, *c));
	return jumps;
}

} // namespace drover
