/* What is live behind each site: SSA values by backward data flow over blocks, native aggregates
 * byte by byte (bytes that may be read later and may have been written before).
 *
 * Order is that of the function's arguments and instructions, so both ISAs number alike. */
#include "plugin.h"
#include "live.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Local.h"
#include <map>

using namespace llvm;

namespace drover
{

namespace
{

class Values
{
      public:
	/* With sites, jumps back from them are control flow too. */
	Values(Function &f, const Frame &frame, const std::vector<Jump> &jumps,
	       const std::vector<Site> *sites);
	/* Values live on entry to `b`, in canonical order. */
	std::vector<Value *> at(BasicBlock *b);

      private:
	struct Sets {
		BitVector gen, kill, in, phiUse; /* phiUse: per predecessor edge, see flow() */
	};
	void local(BasicBlock &b);
	void flow();
	void jumpBack(BasicBlock *b, BitVector &live);
	bool tracked(Value *v)
	{
		return index.count(v);
	}

	Function &f;
	const std::vector<Jump> &jumps;
	SmallPtrSet<BasicBlock *, 16> behind; /* sites */
	std::vector<Value *> values;
	DenseMap<Value *, unsigned> index;
	DenseMap<BasicBlock *, Sets> sets;
};

static bool usedElsewhere(const Instruction &i)
{
	for (const User *u : i.users()) {
		auto *user = cast<Instruction>(u);
		if (user->getParent() != i.getParent() || isa<PHINode>(user))
			return true;
	}
	return false;
}

Values::Values(Function &f, const Frame &frame, const std::vector<Jump> &jumps,
	       const std::vector<Site> *sites)
    : f(f), jumps(jumps)
{
	for (size_t i = 0; sites && i < sites->size(); i++)
		behind.insert((*sites)[i].go);
	SmallPtrSet<Value *, 8> natives(frame.natives.begin(), frame.natives.end());

	for (Argument &a : f.args())
		if (!a.use_empty()) {
			index[&a] = static_cast<unsigned>(values.size());
			values.push_back(&a);
		}
	for (Instruction &i : instructions(f))
		if (!i.getType()->isVoidTy() && !natives.count(&i) && usedElsewhere(i)) {
			index[&i] = static_cast<unsigned>(values.size());
			values.push_back(&i);
		}
	for (BasicBlock &b : f)
		local(b);
	flow();
}

void Values::local(BasicBlock &b)
{
	unsigned n = static_cast<unsigned>(values.size());
	Sets &s = sets[&b];

	s.gen.resize(n);
	s.kill.resize(n);
	s.in.resize(n);
	s.phiUse.resize(n);
	for (Instruction &i : b) {
		if (!isa<PHINode>(i))
			for (Value *v : i.operand_values())
				if (tracked(v) && !s.kill.test(index[v]))
					s.gen.set(index[v]);
		if (tracked(&i))
			s.kill.set(index[&i]);
	}
	/* A phi reads on the edge: live out of this block for its successors' phis. */
	for (BasicBlock *next : successors(&b))
		for (PHINode &p : next->phis()) {
			Value *v = p.getIncomingValueForBlock(&b);
			if (tracked(v))
				s.phiUse.set(index[v]);
		}
}

/* What is needed where a call of a site may jump to, but the number it brings. */
void Values::jumpBack(BasicBlock *b, BitVector &live)
{
	for (const Jump &j : jumps) {
		if (!behind.count(b) || !j.reach.count(b))
			continue;
		BitVector back = sets[j.again].in;
		if (tracked(j.call))
			back.reset(index[j.call]);
		live |= back;
	}
}

void Values::flow()
{
	std::vector<BasicBlock *> order(po_begin(&f.getEntryBlock()), po_end(&f.getEntryBlock()));
	bool changed = true;

	while (changed) {
		changed = false;
		for (BasicBlock *b : order) {
			Sets &s = sets[b];
			BitVector live = s.phiUse;
			for (BasicBlock *next : successors(b))
				live |= sets[next].in;
			live.reset(s.kill);
			live |= s.gen;
			jumpBack(b, live);
			if (live != s.in) {
				s.in = live;
				changed = true;
			}
		}
	}
}

std::vector<Value *> Values::at(BasicBlock *b)
{
	std::vector<Value *> out;

	for (unsigned i : sets[b].in.set_bits())
		out.push_back(values[i]);
	return out;
}

} // namespace

/* ---- names and types ----------------------------------------------------------------------- */

static std::string clean(StringRef s, bool cutNumber)
{
	std::string out;

	for (char c : s.take_until([](char ch) { return ch == '.'; }))
		out += c > ' ' && c < 127 ? c : '_';
	if (cutNumber)
		while (!out.empty() && out.back() >= '0' && out.back() <= '9')
			out.pop_back();
	return out.empty() ? ".tmp" : out;
}

std::string sourceName(Value *v)
{
	SmallVector<DbgVariableIntrinsic *> intrinsics;
	SmallVector<DbgVariableRecord *> records;

	findDbgUsers(intrinsics, v, &records);
	std::string best;
	for (DbgVariableRecord *r : records) {
		std::string n = clean(r->getVariable()->getName(), false);
		if (best.empty() || n < best)
			best = n;
	}
	if (!best.empty())
		return best;
	if (isa<Argument>(v) || isa<PHINode>(v) || isa<AllocaInst>(v))
		return clean(v->getName(), true);
	return ".tmp";
}

static bool scalarType(Type *t, std::string &name, uint32_t &size)
{
	if (auto *i = dyn_cast<IntegerType>(t)) {
		unsigned bits = i->getBitWidth();
		if (bits > 128)
			return false;
		unsigned room = bits <= 8 ? 8 : static_cast<unsigned>(PowerOf2Ceil(bits));
		name = bits == 1 ? "i1" : "i" + std::to_string(room);
		size = room / 8;
		return true;
	}
	if (t->isFloatTy() || t->isDoubleTy() || t->isFP128Ty()) {
		size = t->isFloatTy() ? 4 : t->isDoubleTy() ? 8 : 16;
		name = "f" + std::to_string(size * 8);
		return true;
	}
	if (t->isPointerTy() && t->getPointerAddressSpace() == 0) {
		name = "ptr";
		size = 8;
		return true;
	}
	return false;
}

static bool describe(Type *t, std::string &name, uint32_t &size)
{
	auto *v = dyn_cast<FixedVectorType>(t);

	if (!v)
		return scalarType(t, name, size);
	std::string element;
	uint32_t each;
	Type *et = v->getElementType();
	if (!scalarType(et, element, each) || et->getPrimitiveSizeInBits() != each * 8)
		return false;
	/* No white space within a field of .state_transform. */
	name = "<" + std::to_string(v->getNumElements()) + "x" + element + ">";
	size = v->getNumElements() * each;
	return true;
}

void keepAcrossJumps(Instrumented &fn)
{
	Function &f = *fn.f;
	SetVector<Instruction *> kept;

	if (fn.jumps.empty())
		return;
	const std::vector<Jump> none;
	Values values(f, fn.frame, none, nullptr);
	for (const Jump &j : fn.jumps)
		for (Value *v : values.at(j.again)) {
			auto *i = dyn_cast<Instruction>(v);
			if (i && i != j.call && !i->getParent()->isEntryBlock())
				kept.insert(i);
		}
	for (Instruction *i : kept) {
		std::string name = sourceName(i);
		AllocaInst *a = DemoteRegToStack(*i, false, f.getEntryBlock().begin());
		if (!a)
			continue;
		a->setName(name == ".tmp" ? "" : name);
		fn.frame.natives.push_back(a);
	}
	for (Jump &j : fn.jumps)
		findReach(j);
}

/* What most sites save comes first in all of them, so that they have the beginning in common. */
static void order(std::vector<Site> &sites)
{
	using Piece = std::pair<uint64_t, uint32_t>; /* of an aggregate: from, size */
	DenseMap<Value *, std::map<Piece, unsigned>> counts;
	auto count = [&](const Saved &v) -> unsigned & {
		return counts[v.value][{v.from, v.size}];
	};

	for (const Site &s : sites)
		for (const Saved &v : s.saved)
			count(v)++;
	for (Site &s : sites) {
		std::vector<std::pair<unsigned, Saved>> sorted;
		for (const Saved &v : s.saved)
			sorted.push_back({count(v), v});
		std::stable_sort(sorted.begin(), sorted.end(),
				 [](const auto &a, const auto &b) { return a.first > b.first; });
		for (size_t i = 0; i < sorted.size(); i++)
			s.saved[i] = sorted[i].second;
	}
}

static void place(Site &s)
{
	for (Saved &v : s.saved) {
		uint32_t align = v.bytes ? 8
					 : std::min<uint32_t>(
						   16, static_cast<uint32_t>(PowerOf2Ceil(v.size)));
		v.offset = static_cast<uint32_t>(alignTo(s.size, align));
		s.size = v.offset + v.size;
	}
	s.size = static_cast<uint32_t>(alignTo(s.size, 8));
}

std::string findLive(Instrumented &fn)
{
	Values values(*fn.f, fn.frame, fn.jumps, &fn.sites);
	Bytes bytes(*fn.f, fn.frame, fn.sites, fn.jumps);

	for (Site &s : fn.sites) {
		for (Value *v : values.at(s.go)) {
			if (v == s.invoke)
				continue;
			Saved saved = {};
			saved.value = v;
			if (!describe(v->getType(), saved.type, saved.size)) {
				std::string text;
				raw_string_ostream os(text);
				os << "a value of type '" << *v->getType()
				   << "' is live across a call";
				return os.str();
			}
			saved.name = sourceName(v);
			s.saved.push_back(saved);
		}
		for (const ByteRun &r : bytes.at(s.go)) {
			Saved saved = {};
			saved.value = r.alloca;
			saved.bytes = true;
			saved.from = r.from;
			saved.size = static_cast<uint32_t>(r.size);
			saved.type = "bytes";
			saved.name = sourceName(r.alloca);
			s.saved.push_back(saved);
		}
	}
	order(fn.sites);
	for (Site &s : fn.sites)
		place(s);
	return "";
}

} // namespace drover
