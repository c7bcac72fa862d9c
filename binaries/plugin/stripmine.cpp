/* Cuts a counted loop into chunks:
 *
 *	preheader:  total = backedges taken in all
 *	chunk:      rest = phi [total], [rest - part - 1];  part = min(rest, iterations - 1),
 *	            or without min where the chunks are even
 *	header:     ...                                     the loop as it was
 *	latch:      k < part ? header : chunk.done          counts instead of comparing
 *	chunk.done: rest == part ? exit : chunk.next
 *	chunk.next: the poll's place;  branch to chunk
 *
 * The inner loop has one exit and a known count, so what vectorised before still does. */
#include "plugin.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Transforms/Utils/Local.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"

using namespace llvm;

namespace drover
{

namespace
{

struct Chunked {
	BasicBlock *preheader, *header, *latch, *exit, *chunk, *done, *next;
	PHINode *rest;
	Value *part;
};

/* Of a loop that always makes as many iterations, chunks of one size if there is one that divides
 * them: then the inner loop is again one with a known number, and needs no code for a remainder. */
uint64_t evenChunks(const SCEV *count, uint64_t iterations)
{
	const auto *k = dyn_cast<SCEVConstant>(count);

	if (!k || k->getAPInt().getActiveBits() > 48)
		return 0;
	uint64_t all = k->getAPInt().getZExtValue() + 1;
	for (uint64_t size = std::min(all, iterations); size > iterations / 2; size--)
		if (all % size == 0)
			return size;
	return 0;
}

/* The values an iteration hands to the next go through the chunk block on the outer way round. */
void carryPhis(Chunked &c)
{
	for (PHINode &p : c.header->phis()) {
		Value *start = p.getIncomingValueForBlock(c.preheader);
		Value *back = p.getIncomingValueForBlock(c.latch);
		PHINode *outer = PHINode::Create(p.getType(), 2, p.getName(), c.chunk->begin());
		outer->addIncoming(start, c.preheader);
		outer->addIncoming(back, c.next);
		outer->setDebugLoc(p.getDebugLoc());
		p.setIncomingBlock(static_cast<unsigned>(p.getBasicBlockIndex(c.preheader)),
				   c.chunk);
		p.setIncomingValue(static_cast<unsigned>(p.getBasicBlockIndex(c.chunk)), outer);
	}
}

void buildChunkHead(Chunked &c, Value *total, uint64_t iterations, bool even)
{
	Type *t = total->getType();
	IRBuilder<> b(c.chunk);

	c.rest = PHINode::Create(t, 2, "chunk.rest", c.chunk->begin());
	c.rest->addIncoming(total, c.preheader);
	Value *most = ConstantInt::get(t, iterations - 1);
	c.part = even ? most
		      : b.CreateBinaryIntrinsic(Intrinsic::umin, c.rest, most, nullptr,
						"chunk.part");
	b.CreateBr(c.header);
}

void buildLatch(Chunked &c)
{
	auto *old = cast<BranchInst>(c.latch->getTerminator());
	Type *t = c.rest->getType();
	Value *condition = old->isConditional() ? old->getCondition() : nullptr;
	PHINode *k = PHINode::Create(t, 2, "chunk.k", c.header->begin());
	IRBuilder<> b(old);

	Value *more = b.CreateICmpULT(k, c.part, "chunk.more");
	Value *next = b.CreateNUWAdd(k, ConstantInt::get(t, 1));
	BranchInst *br = b.CreateCondBr(more, c.header, c.done);
	if (MDNode *md = old->getMetadata(LLVMContext::MD_loop))
		br->setMetadata(LLVMContext::MD_loop, md);
	k->addIncoming(ConstantInt::get(t, 0), c.chunk);
	k->addIncoming(next, c.latch);
	old->eraseFromParent();
	if (condition)
		RecursivelyDeleteTriviallyDeadInstructions(condition);
}

/* A known number of chunks is no reason to have the loop within as many times. */
MDNode *neverUnrolled(LLVMContext &ctx)
{
	MDNode *disable = MDNode::get(ctx, MDString::get(ctx, "llvm.loop.unroll.disable"));
	MDNode *id = MDNode::getDistinct(ctx, {nullptr, disable});

	id->replaceOperandWith(0, id);
	return id;
}

Instruction *buildEnd(Chunked &c)
{
	Type *t = c.rest->getType();
	IRBuilder<> b(c.done);

	b.CreateCondBr(b.CreateICmpEQ(c.rest, c.part, "chunk.last"), c.exit, c.next);
	b.SetInsertPoint(c.next);
	Value *left = b.CreateSub(c.rest, c.part);
	left = b.CreateSub(left, ConstantInt::get(t, 1));
	c.rest->addIncoming(left, c.next);
	for (PHINode &p : c.exit->phis())
		p.replaceIncomingBlockWith(c.latch, c.done);
	BranchInst *back = b.CreateBr(c.chunk);
	back->setMetadata(LLVMContext::MD_loop, neverUnrolled(back->getContext()));
	return back;
}

} // namespace

Instruction *chunkLoop(Function &f, FunctionAnalysisManager &fam, BasicBlock *header,
		       uint64_t iterations)
{
	fam.invalidate(f, PreservedAnalyses::none());
	LoopInfo &li = fam.getResult<LoopAnalysis>(f);
	ScalarEvolution &se = fam.getResult<ScalarEvolutionAnalysis>(f);
	Loop *l = li.getLoopFor(header);
	if (!l || l->getHeader() != header)
		return nullptr;
	const SCEV *count = se.getBackedgeTakenCount(l);
	Instruction *before = l->getLoopPreheader()->getTerminator();
	SCEVExpander expander(se, f.getParent()->getDataLayout(), "chunk");
	if (!expander.isSafeToExpandAt(count, before)) {
		Instruction *end = l->getLoopLatch()->getTerminator();
		fam.invalidate(f, PreservedAnalyses::none()); /* takes the loop away */
		return end;
	}
	uint64_t even = evenChunks(count, iterations);
	DebugLoc where = l->getLoopLatch()->getTerminator()->getDebugLoc();
	Value *total = expander.expandCodeFor(count, count->getType(), before);

	Chunked c = {};
	c.preheader = l->getLoopPreheader();
	c.header = header;
	c.latch = l->getLoopLatch();
	c.exit = l->getExitBlock();
	LLVMContext &ctx = f.getContext();
	c.chunk = BasicBlock::Create(ctx, "chunk", &f, header);
	c.done = BasicBlock::Create(ctx, "chunk.done", &f, c.latch->getNextNode());
	c.next = BasicBlock::Create(ctx, "chunk.next", &f, c.done->getNextNode());
	c.preheader->getTerminator()->replaceSuccessorWith(header, c.chunk);
	carryPhis(c);
	buildChunkHead(c, total, even ? even : iterations, even);
	buildLatch(c);
	Instruction *at = buildEnd(c);
	at->setDebugLoc(where);
	fam.invalidate(f, PreservedAnalyses::none());
	return at;
}

} // namespace drover
