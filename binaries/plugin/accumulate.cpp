/* After the optimiser: `sum + f(x)` with the sum as its first operand.
 *
 * A machine of two-address instructions writes over one operand, and LLVM chooses it by where the
 * two were defined in the block at hand. The result of an invoke comes from the block before, so
 * that nothing speaks for the sum any more: the result would be written over and copied. */
#include "plugin.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"

using namespace llvm;

namespace drover
{

void accumulateInPlace(Module &m)
{
	for (Function &f : m)
		for (Instruction &i : instructions(f)) {
			auto *b = dyn_cast<BinaryOperator>(&i);

			/* Of two NaNs the first operand's is the result. */
			if (b && b->isCommutative() && b->getType()->isIntegerTy() &&
			    isa<InvokeInst>(b->getOperand(0)) && !isa<InvokeInst>(b->getOperand(1)))
				b->swapOperands();
		}
}

} // namespace drover
