/* After the optimiser: every invoke has a landing pad of its own.
 *
 * Jump threading, unrolling and unswitching copy invokes that then share a landing pad; two that
 * share both destinations are miscompiled by LLVM 19's code generator. */
#include "plugin.h"
#include "llvm/IR/CFG.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace drover
{

static void separate(BasicBlock *pad)
{
	while (pad && !pad->getSinglePredecessor()) {
		BasicBlock *one = *pred_begin(pad);
		SmallVector<BasicBlock *, 2> made;
		SplitLandingPadPredecessors(pad, {one}, ".own", ".rest", made);
		pad = made.size() > 1 ? made[1] : nullptr;
	}
}

void separateLandingPads(Module &m)
{
	for (Function &f : m) {
		std::vector<BasicBlock *> pads;
		for (BasicBlock &b : f)
			if (b.isLandingPad() && !b.getSinglePredecessor())
				pads.push_back(&b);
		for (BasicBlock *b : pads)
			separate(b);
	}
}

} // namespace drover
