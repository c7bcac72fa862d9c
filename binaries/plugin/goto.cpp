/* Computed goto: label addresses differ between the ISAs, so labels become small numbers and the
 * jump a switch. Label differences kept in tables stay right, being differences of numbers. */
#include "plugin.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace drover
{

void lowerComputedGoto(Function &f)
{
	std::vector<IndirectBrInst *> jumps;
	DenseMap<BasicBlock *, ConstantInt *> number;
	Type *word = Type::getInt64Ty(f.getContext());
	uint64_t next = 1;

	for (BasicBlock &b : f) {
		if (auto *j = dyn_cast<IndirectBrInst>(b.getTerminator()))
			jumps.push_back(j);
		BlockAddress *a = b.hasAddressTaken() ? BlockAddress::lookup(&b) : nullptr;
		if (!a)
			continue;
		ConstantInt *n = cast<ConstantInt>(ConstantInt::get(word, next++));
		number[&b] = n;
		a->replaceAllUsesWith(ConstantExpr::getIntToPtr(n, a->getType()));
		a->destroyConstant();
	}
	for (IndirectBrInst *j : jumps) {
		BasicBlock *nowhereBlock = BasicBlock::Create(f.getContext(), "goto.none", &f);
		new UnreachableInst(f.getContext(), nowhereBlock);
		IRBuilder<> b(j);
		Value *v = b.CreatePtrToInt(j->getAddress(), word);
		SwitchInst *s = b.CreateSwitch(v, nowhereBlock, j->getNumDestinations());
		SmallPtrSet<BasicBlock *, 8> seen;
		for (BasicBlock *to : j->successors()) {
			if (number.count(to) && seen.insert(to).second)
				s->addCase(number[to], to);
			else
				to->removePredecessor(j->getParent(), true);
		}
		j->eraseFromParent();
	}
}

} // namespace drover
