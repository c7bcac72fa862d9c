/* Byte liveness of the aggregates that stay on the native stack. */
#include "live.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace drover
{

/* Marks the bytes of `t` that hold something. What one ISA copies as a whole the other copies by
 * members; padding is nobody's state. Within a union another member may use it. */
static void markUsed(Type *t, const DataLayout &dl, BitVector &used, uint64_t at)
{
	auto *s = dyn_cast<StructType>(t);

	if (auto *a = dyn_cast<ArrayType>(t)) {
		uint64_t step = dl.getTypeAllocSize(a->getElementType());
		for (uint64_t i = 0; i < a->getNumElements(); i++)
			markUsed(a->getElementType(), dl, used, at + i * step);
	} else if (s && !(s->hasName() && s->getName().starts_with("union."))) {
		const StructLayout *layout = dl.getStructLayout(s);
		for (unsigned i = 0; i < s->getNumElements(); i++)
			markUsed(s->getElementType(i), dl, used, at + layout->getElementOffset(i));
	} else {
		used.set(static_cast<unsigned>(at),
			 static_cast<unsigned>(at + dl.getTypeStoreSize(t)));
	}
}

Bytes::Bytes(Function &f, const Frame &frame, const std::vector<Site> &sites,
	     const std::vector<Jump> &jumps)
    : dl(f.getParent()->getDataLayout()), frame(frame), jumps(jumps)
{
	for (const Site &s : sites)
		behind.insert(s.go);
	for (AllocaInst *a : frame.natives) {
		start[a] = total;
		total += static_cast<unsigned>(a->getAllocationSize(dl)->getFixedValue());
	}
	if (!total)
		return;
	used.resize(total);
	for (AllocaInst *a : frame.natives)
		markUsed(ArrayType::get(a->getAllocatedType(),
					cast<ConstantInt>(a->getArraySize())->getZExtValue()),
			 dl, used, start[a]);
	for (BasicBlock &b : f)
		local(b);
	flowBack(f);
	flowForward(f);
}

/* The bytes `p` names; false if it is none of the native aggregates. */
bool Bytes::range(Value *p, uint64_t size, Access &a) const
{
	APInt offset(64, 0);
	Value *base = p->stripAndAccumulateConstantOffsets(dl, offset, true);
	auto *local = dyn_cast<AllocaInst>(base);
	bool known = local != nullptr;

	if (!known)
		local = dyn_cast<AllocaInst>(getUnderlyingObject(p));
	auto it = local ? start.find(local) : start.end();
	if (it == start.end())
		return false;
	uint64_t whole = local->getAllocationSize(dl)->getFixedValue();
	a.first = it->second;
	a.count = static_cast<unsigned>(whole);
	a.exact = false;
	if (known && offset.ule(whole) && size <= whole - offset.getZExtValue()) {
		a.first += static_cast<unsigned>(offset.getZExtValue());
		a.count = static_cast<unsigned>(size);
		a.exact = true;
	}
	return true;
}

void Bytes::accesses(Instruction &i, std::vector<Access> &out) const
{
	Access a;
	const uint64_t unknown = UINT64_MAX;

	auto add = [&](Value *p, uint64_t size, bool reads, bool writes) {
		a = {};
		if (!range(p, size, a))
			return;
		a.reads = reads;
		a.writes = writes;
		out.push_back(a);
	};
	if (auto *l = dyn_cast<LoadInst>(&i)) {
		add(l->getPointerOperand(), dl.getTypeStoreSize(l->getType()), true, false);
	} else if (auto *s = dyn_cast<StoreInst>(&i)) {
		add(s->getPointerOperand(), dl.getTypeStoreSize(s->getValueOperand()->getType()),
		    false, true);
	} else if (auto *mem = dyn_cast<MemIntrinsic>(&i)) {
		auto *n = dyn_cast<ConstantInt>(mem->getLength());
		uint64_t size = n ? n->getZExtValue() : unknown;
		/* Read first: a move over itself keeps what it reads. */
		if (auto *t = dyn_cast<MemTransferInst>(mem))
			add(t->getRawSource(), size, true, false);
		add(mem->getRawDest(), size, false, true);
	} else if (i.isLifetimeStartOrEnd()) {
		if (auto *local = dyn_cast<AllocaInst>(i.getOperand(1))) {
			auto it = start.find(local);
			if (it == start.end())
				return;
			a.first = it->second;
			a.count = static_cast<unsigned>(
				local->getAllocationSize(dl)->getFixedValue());
			a.dead = true;
			out.push_back(a);
		}
	} else if (auto *c = dyn_cast<CallBase>(&i)) {
		for (unsigned k = 0; k < c->arg_size(); k++)
			if (Type *t = c->getParamByValType(k))
				add(c->getArgOperand(k), dl.getTypeAllocSize(t), true, false);
	}
}

void Bytes::local(BasicBlock &b)
{
	Sets &s = sets[&b];
	std::vector<Access> list;

	for (BitVector *v : {&s.gen, &s.kill, &s.live, &s.wgen, &s.wkill, &s.written})
		v->resize(total);
	for (Instruction &i : b)
		accesses(i, list);
	for (const Access &a : list) {
		unsigned end = a.first + a.count;
		if (a.reads)
			for (unsigned k = a.first; k < end; k++)
				if (!s.kill.test(k))
					s.gen.set(k);
		if (a.dead || (a.writes && a.exact))
			s.kill.set(a.first, end);
		if (a.dead) {
			s.wgen.reset(a.first, end);
			s.wkill.set(a.first, end);
		} else if (a.writes) {
			s.wgen.set(a.first, end);
		}
	}
}

/* The calls of a site may jump back. */
void Bytes::jumpBack(const BasicBlock *b, BitVector &live) const
{
	for (const Jump &j : jumps)
		if (behind.count(b) && j.reach.count(const_cast<BasicBlock *>(b)))
			live |= sets.find(j.again)->second.live;
}

/* What has been written anywhere behind a jump may be there when it comes back. */
void Bytes::jumpForward(BasicBlock *b, BitVector &in) const
{
	for (const Jump &j : jumps)
		if (j.again == b)
			for (BasicBlock *from : j.reach) {
				in |= sets.find(from)->second.wgen;
				in |= sets.find(from)->second.written;
			}
}

void Bytes::flowBack(Function &f)
{
	std::vector<BasicBlock *> order(po_begin(&f.getEntryBlock()), po_end(&f.getEntryBlock()));
	bool changed = true;

	while (changed) {
		changed = false;
		for (BasicBlock *b : order) {
			Sets &s = sets[b];
			BitVector live(total);
			for (BasicBlock *next : successors(b))
				live |= sets[next].live;
			live.reset(s.kill);
			live |= s.gen;
			jumpBack(b, live);
			changed |= live != s.live;
			s.live = live;
		}
	}
}

void Bytes::flowForward(Function &f)
{
	ReversePostOrderTraversal<Function *> order(&f);
	bool changed = true;

	while (changed) {
		changed = false;
		for (BasicBlock *b : order) {
			BitVector in(total);
			for (BasicBlock *from : predecessors(b)) {
				const Sets &p = sets[from];
				BitVector out = p.written;
				out.reset(p.wkill);
				out |= p.wgen;
				in |= out;
			}
			jumpForward(b, in);
			Sets &s = sets[b];
			changed |= in != s.written;
			s.written = in;
		}
	}
}

std::vector<ByteRun> Bytes::at(BasicBlock *b) const
{
	std::vector<ByteRun> runs;
	auto it = sets.find(b);

	if (it == sets.end())
		return runs;
	BitVector want = it->second.live;
	want &= it->second.written;
	want &= used;
	for (AllocaInst *a : frame.natives) {
		unsigned first = start.lookup(a);
		unsigned end =
			first + static_cast<unsigned>(a->getAllocationSize(dl)->getFixedValue());
		for (unsigned k = first; k < end; k++) {
			if (!want.test(k))
				continue;
			unsigned from = k;
			while (k < end && want.test(k))
				k++;
			runs.push_back({a, from - first, k - from});
		}
	}
	return runs;
}

} // namespace drover
