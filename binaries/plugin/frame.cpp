/* Where a function's stack data lives.
 *
 * Data whose address escapes goes to the common stack, a region at one address on both ISAs
 * whose pointer is a word of the thread's structure; pointers to it stay true across a move. The
 * rest stays on the native stack and is saved by bytes; its addresses must never be live across a
 * site, so address computations are repeated at each use. */
#include "plugin.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace drover
{

/* Larger than this and copying at a capture costs more than an address on the common stack. */
static const uint64_t nativeLimit = 1024;

static bool byvalRead(const Use &u, const DataLayout &dl)
{
	auto *c = dyn_cast<CallBase>(u.getUser());

	if (!c || !c->isArgOperand(&u))
		return false;
	Type *t = c->getParamByValType(c->getArgOperandNo(&u));
	return t && (dl.getTypeAllocSize(t) <= 16 || isWideHomogeneous(t, dl));
}

static bool staysLocal(const Value *p, const DataLayout &dl)
{
	for (const Use &u : p->uses()) {
		const User *user = u.getUser();
		if (isa<LoadInst>(user) || byvalRead(u, dl))
			continue;
		if (auto *s = dyn_cast<StoreInst>(user)) {
			if (s->getPointerOperand() == p && s->getValueOperand() != p)
				continue;
			return false;
		}
		if (isa<MemIntrinsic>(user) || cast<Instruction>(user)->isLifetimeStartOrEnd())
			continue;
		if (isa<GetElementPtrInst>(user)) {
			if (staysLocal(user, dl))
				continue;
			return false;
		}
		return false;
	}
	return true;
}

static Instruction *placeFor(Use &u)
{
	auto *user = cast<Instruction>(u.getUser());

	if (auto *phi = dyn_cast<PHINode>(user))
		return phi->getIncomingBlock(u)->getTerminator();
	return user;
}

/* Repeats the GEPs over `p` at each use, so that no address outlives a block. */
static void sinkAddresses(Instruction *p)
{
	std::vector<GetElementPtrInst *> geps;

	for (User *u : p->users())
		if (auto *g = dyn_cast<GetElementPtrInst>(u))
			geps.push_back(g);
	for (GetElementPtrInst *g : geps) {
		/* Inner ones first: their copies are placed right at the use. */
		sinkAddresses(g);
		std::vector<Use *> uses;
		for (Use &u : g->uses())
			uses.push_back(&u);
		for (Use *u : uses) {
			Instruction *copy = g->clone();
			copy->insertBefore(placeFor(*u)->getIterator());
			u->set(copy);
		}
		if (!g->isUsedByMetadata())
			g->eraseFromParent();
	}
}

static std::vector<AllocaInst *> allocasByFirstUse(Function &f)
{
	std::vector<AllocaInst *> order;
	SmallPtrSet<AllocaInst *, 16> seen;

	for (Instruction &i : instructions(f))
		for (Value *v : i.operand_values())
			if (auto *a = dyn_cast<AllocaInst>(v))
				if (seen.insert(a).second)
					order.push_back(a);
	return order;
}

static void dropLifetimes(AllocaInst *a)
{
	std::vector<Instruction *> gone;

	for (User *u : a->users())
		if (cast<Instruction>(u)->isLifetimeStartOrEnd())
			gone.push_back(cast<Instruction>(u));
	for (Instruction *i : gone)
		i->eraseFromParent();
}

namespace
{

class CommonStack
{
      public:
	CommonStack(Function &f, Frame &frame) : f(f), frame(frame), m(*f.getParent())
	{
		ptr = PointerType::get(f.getContext(), 0);
		byte = Type::getInt8Ty(f.getContext());
	}
	void run(const std::vector<AllocaInst *> &fixed, const std::vector<AllocaInst *> &dynamic);

      private:
	void enter(uint64_t size);
	void leave(uint64_t size);
	void place(AllocaInst *a, uint64_t offset, uint64_t align);
	void replaceDynamic(AllocaInst *a);
	void replaceStackSaves();
	Value *address(IRBuilder<> &b, uint64_t offset, uint64_t align);
	Value *pointer(IRBuilder<> &b);

	Function &f;
	Frame &frame;
	Module &m;
	Type *ptr, *byte;
	Value *base = nullptr;
};

/* Where the common stack pointer is: DROVER_CSP_OFFSET of migrator/include/abi.h from the thread
 * pointer. Computed at each use, so that it is never live across a site. */
Value *CommonStack::pointer(IRBuilder<> &b)
{
	const uint64_t offset = 56;

	if (Triple(m.getTargetTriple()).isX86()) /* address space 257 is %fs */
		return ConstantExpr::getIntToPtr(b.getInt64(offset),
						 PointerType::get(m.getContext(), 257));
	Value *thread = b.CreateIntrinsic(Intrinsic::thread_pointer, {}, {});
	return b.CreateConstInBoundsGEP1_64(byte, thread, offset);
}

Value *CommonStack::address(IRBuilder<> &b, uint64_t offset, uint64_t align)
{
	if (align <= 16)
		return b.CreateConstInBoundsGEP1_64(byte, base, offset);
	Value *p = b.CreateConstInBoundsGEP1_64(byte, base, offset + align - 1);
	return b.CreateIntrinsic(Intrinsic::ptrmask, {ptr, b.getInt64Ty()},
				 {p, b.getInt64(~(align - 1))});
}

void CommonStack::enter(uint64_t size)
{
	BasicBlock::iterator at = f.getEntryBlock().getFirstInsertionPt();

	while (isa<AllocaInst>(&*at))
		++at;
	IRBuilder<> b(&f.getEntryBlock(), at);
	b.SetCurrentDebugLocation(nowhere(f));
	LoadInst *top = b.CreateLoad(ptr, pointer(b), "csp");
	MDNode *none = MDNode::get(f.getContext(), {});
	top->setMetadata(LLVMContext::MD_nonnull, none);
	top->setMetadata(LLVMContext::MD_noundef, none);
	top->setMetadata(LLVMContext::MD_align,
			 MDNode::get(f.getContext(), ConstantAsMetadata::get(b.getInt64(16))));
	base = top;
	if (size) {
		base = b.CreateConstInBoundsGEP1_64(byte, top, -size, "frame");
		b.CreateStore(base, pointer(b));
	}
}

void CommonStack::leave(uint64_t size)
{
	for (BasicBlock &block : f) {
		auto *ret = dyn_cast<ReturnInst>(block.getTerminator());
		if (!ret)
			continue;
		IRBuilder<> b(ret);
		Value *top = size ? b.CreateConstInBoundsGEP1_64(byte, base, size) : base;
		b.CreateStore(top, pointer(b));
	}
}

void CommonStack::place(AllocaInst *a, uint64_t offset, uint64_t align)
{
	std::vector<Use *> uses;

	dropLifetimes(a);
	for (Use &u : a->uses())
		uses.push_back(&u);
	for (Use *u : uses) {
		IRBuilder<> b(placeFor(*u));
		u->set(address(b, offset, align));
	}
	if (a->isUsedByMetadata()) {
		IRBuilder<> b(cast<Instruction>(base)->getNextNode());
		if (cast<Instruction>(base)->getNextNode()->getOpcode() == Instruction::Store)
			b.SetInsertPoint(cast<Instruction>(base)->getNextNode()->getNextNode());
		b.SetCurrentDebugLocation(nowhere(f));
		a->replaceAllUsesWith(address(b, offset, align));
	}
	a->eraseFromParent();
}

void CommonStack::replaceDynamic(AllocaInst *a)
{
	const DataLayout &dl = m.getDataLayout();
	uint64_t align = std::max<uint64_t>(16, a->getAlign().value());
	IRBuilder<> b(a);

	dropLifetimes(a);
	Value *n = b.CreateZExtOrTrunc(a->getArraySize(), b.getInt64Ty());
	Value *size = b.CreateMul(n, b.getInt64(dl.getTypeAllocSize(a->getAllocatedType())));
	Value *top = b.CreateLoad(ptr, pointer(b));
	Value *p = b.CreateGEP(byte, top, b.CreateNeg(size));
	p = b.CreateIntrinsic(Intrinsic::ptrmask, {ptr, b.getInt64Ty()},
			      {p, b.getInt64(~(align - 1))});
	b.CreateStore(p, pointer(b));
	p->takeName(a);
	a->replaceAllUsesWith(p);
	a->eraseFromParent();
}

void CommonStack::replaceStackSaves()
{
	std::vector<IntrinsicInst *> all;

	for (Instruction &i : instructions(f))
		if (auto *c = dyn_cast<IntrinsicInst>(&i))
			if (c->getIntrinsicID() == Intrinsic::stacksave ||
			    c->getIntrinsicID() == Intrinsic::stackrestore)
				all.push_back(c);
	for (IntrinsicInst *c : all) {
		IRBuilder<> b(c);
		if (c->getIntrinsicID() == Intrinsic::stacksave)
			c->replaceAllUsesWith(b.CreateLoad(ptr, pointer(b)));
		else
			b.CreateStore(c->getArgOperand(0), pointer(b));
	}
	for (IntrinsicInst *c : all)
		c->eraseFromParent();
}

void CommonStack::run(const std::vector<AllocaInst *> &fixed,
		      const std::vector<AllocaInst *> &dynamic)
{
	const DataLayout &dl = m.getDataLayout();
	std::vector<std::pair<uint64_t, uint64_t>> where;
	uint64_t size = 0;

	if (fixed.empty() && dynamic.empty())
		return;
	for (AllocaInst *a : fixed) {
		uint64_t bytes = a->getAllocationSize(dl)->getFixedValue();
		/* The ISAs align arrays differently; this is enough for either. */
		uint64_t align = std::max<uint64_t>(a->getAlign().value(), bytes < 16 ? 8 : 16);
		size = alignTo(size, std::min<uint64_t>(align, 16));
		where.push_back({size, align});
		frame.common.push_back({size, bytes, a->getName().str()});
		size += bytes + (align > 16 ? align : 0);
	}
	size = alignTo(size, 16);
	replaceStackSaves();
	enter(size);
	for (size_t i = 0; i < fixed.size(); i++)
		place(fixed[i], where[i].first, where[i].second);
	for (AllocaInst *a : dynamic)
		replaceDynamic(a);
	leave(size);
}

} // namespace

Frame makeFrame(Function &f)
{
	const DataLayout &dl = f.getParent()->getDataLayout();
	std::vector<AllocaInst *> fixed, dynamic, unused;
	Frame frame;
	uint64_t total = 0;

	for (AllocaInst *a : allocasByFirstUse(f)) {
		if (!a->isStaticAlloca()) {
			dynamic.push_back(a);
			continue;
		}
		uint64_t size = a->getAllocationSize(dl)->getFixedValue();
		if (staysLocal(a, dl) && size <= nativeLimit && total + size <= 16 * nativeLimit) {
			frame.natives.push_back(a);
			total += size;
		} else {
			fixed.push_back(a);
		}
	}
	for (Instruction &i : instructions(f))
		if (auto *a = dyn_cast<AllocaInst>(&i))
			if (a->use_empty() && !a->isUsedByMetadata())
				unused.push_back(a);
	for (AllocaInst *a : unused)
		a->eraseFromParent();
	for (AllocaInst *a : frame.natives)
		sinkAddresses(a);
	CommonStack(f, frame).run(fixed, dynamic);
	return frame;
}

} // namespace drover
