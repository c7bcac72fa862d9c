/* After the optimiser: every invoke has a landing pad of its own.
 *
 * Jump threading, unrolling, unswitching and inlining copy invokes that then share a landing pad;
 * two that share both destinations are miscompiled by LLVM 19's code generator. It makes one of
 * empty landing pads that lead to one place, too: what has been separated holds something to tell
 * it by. */
#include "plugin.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace drover
{

/* Assembly of a comment: no code, and unlike any other. */
static void mark(BasicBlock *pad, unsigned &n)
{
	IRBuilder<> b(pad->getTerminator());
	FunctionType *t = FunctionType::get(b.getVoidTy(), false);

	b.SetCurrentDebugLocation(nowhere(*pad->getParent()));
	b.CreateCall(InlineAsm::get(t, "/* " + std::to_string(n++) + " */", "", true))
		->setDoesNotThrow();
}

static void separate(BasicBlock *pad, unsigned &n)
{
	while (pad && !pad->getSinglePredecessor()) {
		BasicBlock *one = *pred_begin(pad);
		SmallVector<BasicBlock *, 2> made;
		SplitLandingPadPredecessors(pad, {one}, ".own", ".rest", made);
		mark(made[0], n);
		pad = made.size() > 1 ? made[1] : nullptr;
	}
	if (pad)
		mark(pad, n);
}

void separateLandingPads(Module &m)
{
	unsigned n = 0;

	for (Function &f : m) {
		std::vector<BasicBlock *> pads;
		for (BasicBlock &b : f)
			if (b.isLandingPad() && !b.getSinglePredecessor())
				pads.push_back(&b);
		for (BasicBlock *b : pads)
			separate(b, n);
	}
}

} // namespace drover
