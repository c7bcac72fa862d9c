/* Where migration points go.
 *
 *   bounded loops       none: a constant, small number of instructions
 *   counted loops       cut into chunks with a poll between chunks (stripmine.cpp), so that the
 *                       inner loop stays as simple as it was and vectorises
 *   outer loops         each iteration
 *   uncounted inner     each iteration, if it is long: a switch, a call, many instructions;
 *                       or if it looks at atomic or volatile data: it may wait for another thread
 *   of these            at the latch; around a switch at the header
 *   call cycles         where the calls that go round the cycle have their common dominator
 *
 * The plan depends on nothing but the simplified IR, so both ISAs and the summary agree. */
#include "plugin.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace drover
{

/* Instructions an entry of a loop may take before it needs a poll of its own. */
static const uint64_t boundedWork = 100000;
/* Instructions between polls of a chunked loop, and its iterations at most. */
static const uint64_t chunkWork = 262144, chunkIterations = 4096;
/* An uncounted inner loop with more instructions than this is long. */
static const uint64_t longBody = 25;
/* A function without loops that is taken for a part of its caller. */
static const uint64_t quickFunction = 500;
static const uint64_t unbounded = UINT64_MAX;

/* Library functions that run for nanoseconds and call nothing back. */
static bool isQuick(const CallBase &c)
{
	static const char *const quick[] = {
		"sin",     "cos",     "tan",     "asin",    "acos",    "atan",    "atan2",
		"sinh",    "cosh",    "tanh",    "exp",     "exp2",    "log",     "log2",
		"log10",   "pow",     "sqrt",    "cbrt",    "hypot",   "floor",   "ceil",
		"trunc",   "round",   "fmod",    "fabs",    "fmin",    "fmax",    "ldexp",
		"frexp",   "expm1",   "log1p",   "lround",  "rint",    "abs",     "labs",
		"toupper", "tolower", "isalpha", "isdigit", "isspace", "isalnum", "isupper",
		"islower"};
	const Function *f = calledFunction(c);

	if (!f || !f->isDeclaration())
		return false;
	StringRef name = f->getName();
	for (const char *q : quick)
		if (name == q || (name.ends_with("f") && name.drop_back() == q))
			return true;
	return false;
}

/* What an instruction counts. Moves of data count nothing: how many there are depends on how an
 * ISA hands aggregates over, and the plan must not. */
static uint64_t weight(const Instruction &i)
{
	if (isa<MemIntrinsic>(i))
		return 10;
	return isa<BinaryOperator>(i) || isa<CmpInst>(i) || isa<FPMathOperator>(i) ||
	       i.isTerminator();
}

/* ---- call cycles --------------------------------------------------------------------------- */

struct Tarjan {
	Recursion &r;
	const Module &m;
	DenseMap<const Function *, unsigned> index, low;
	std::vector<const Function *> stack;
	SmallPtrSet<const Function *, 16> onStack;
	unsigned next = 1, components = 0;

	Tarjan(Recursion &r, const Module &m) : r(r), m(m)
	{
	}

	template <typename Each> void callees(const Function &f, Each each)
	{
		for (const Instruction &i : instructions(f)) {
			if (!isRealCall(i))
				continue;
			const CallBase &c = cast<CallBase>(i);
			if (const Function *g = calledFunction(c)) {
				if (!g->isDeclaration())
					each(g);
				continue;
			}
			auto it = r.taken.find(shapeOf(c));
			if (it != r.taken.end())
				for (const Function *g : it->second)
					each(g);
		}
	}

	void visit(const Function *f)
	{
		index[f] = low[f] = next++;
		stack.push_back(f);
		onStack.insert(f);
		bool self = false;
		callees(*f, [&](const Function *g) {
			self |= g == f;
			if (!index.count(g)) {
				visit(g);
				low[f] = std::min(low[f], low[g]);
			} else if (onStack.count(g)) {
				low[f] = std::min(low[f], index[g]);
			}
		});
		if (low[f] != index[f])
			return;
		bool many = stack.back() != f;
		const Function *g;
		components++;
		do {
			g = stack.back();
			stack.pop_back();
			onStack.erase(g);
			r.component[g] = components;
			r.cyclic[g] = many || self;
		} while (g != f);
	}
};

Recursion::Recursion(const Module &m)
{
	for (const Function &f : m)
		if (!f.isDeclaration() && addressTaken(f))
			taken[shapeOf(f)].push_back(&f);
	Tarjan t(*this, m);
	for (const Function &f : m)
		if (!f.isDeclaration() && !t.index.count(&f))
			t.visit(&f);
}

bool Recursion::cycles(const Function &f) const
{
	return cyclic.lookup(&f);
}

bool Recursion::inner(const CallBase &c) const
{
	const Function *f = c.getFunction();

	if (!isRealCall(c) || !cyclic.lookup(f))
		return false;
	if (const Function *g = calledFunction(c))
		return component.lookup(g) == component.lookup(f);
	auto it = taken.find(shapeOf(c));
	if (it == taken.end())
		return false;
	for (const Function *g : it->second)
		if (component.lookup(g) == component.lookup(f))
			return true;
	return false;
}

/* The beginning of a block; in the entry block, behind the arguments' stores. Right in front of the
 * call its arguments may already be split into registers, which each ISA does in its own way. */
static Instruction *beginning(BasicBlock &b)
{
	Instruction *first = &*b.getFirstInsertionPt();

	if (!b.isEntryBlock())
		return first;
	while (isa<AllocaInst>(first))
		first = first->getNextNode();
	for (Instruction *i = first; !i->isTerminator(); i = i->getNextNode()) {
		if (isRealCall(*i))
			break;
		if (isa<StoreInst>(i) || isa<MemCpyInst>(i))
			first = i->getNextNode();
	}
	return first;
}

/* A single call that goes round, in some iterations of a loop: from one such call of an activation
 * to the next the loop's own poll is passed. Descending without one ends with the stack. Where each
 * iteration makes the call, the poll before it serves the loop, too, and the same values are saved
 * at both. */
static bool loopPolls(const std::vector<CallBase *> &calls, LoopInfo &li, const DominatorTree &dt)
{
	const Loop *l = calls.size() == 1 ? li.getLoopFor(calls[0]->getParent()) : nullptr;

	return l && !(l->getLoopLatch() && dt.dominates(calls[0]->getParent(), l->getLoopLatch()));
}

static Instruction *recursionPoint(Function &f, FunctionAnalysisManager &fam, const Recursion &rec)
{
	DominatorTree &dt = fam.getResult<DominatorTreeAnalysis>(f);
	std::vector<CallBase *> calls;
	BasicBlock *common = nullptr;
	bool callsHere = false;

	for (Instruction &i : instructions(f)) {
		auto *c = dyn_cast<CallBase>(&i);
		if (c && rec.inner(*c) && dt.isReachableFromEntry(c->getParent()))
			calls.push_back(c);
	}
	if (calls.empty() || loopPolls(calls, fam.getResult<LoopAnalysis>(f), dt))
		return nullptr;
	for (CallBase *c : calls)
		common = common ? dt.findNearestCommonDominator(common, c->getParent())
				: c->getParent();
	for (CallBase *c : calls)
		callsHere |= c->getParent() == common;
	return callsHere ? beginning(*common) : common->getTerminator();
}

/* ---- loops --------------------------------------------------------------------------------- */

namespace
{

class Planner
{
      public:
	Planner(Function &f, FunctionAnalysisManager &fam, PollPlan &plan, const Recursion &rec)
	    : fam(fam), li(fam.getResult<LoopAnalysis>(f)),
	      se(fam.getResult<ScalarEvolutionAnalysis>(f)),
	      dt(fam.getResult<DominatorTreeAnalysis>(f)), plan(plan), rec(rec),
	      inMain(f.getName() == "main")
	{
	}
	void run()
	{
		for (Loop *l : reverse(li))
			visit(*l);
	}

      private:
	uint64_t cost(const Instruction &i, unsigned depth);
	uint64_t costOfFunction(const Function &f, unsigned depth);
	uint64_t work(const Loop &l);
	bool counted(const Loop &l);
	bool isLong(const Loop &l);
	bool waits(const Loop &l);
	bool polledAlready(const Loop &l);
	void visit(Loop &l);

	FunctionAnalysisManager &fam;
	LoopInfo &li;
	ScalarEvolution &se;
	DominatorTree &dt;
	PollPlan &plan;
	const Recursion &rec;
	bool inMain;
};

/* A helper without loops is as good as inlined. */
uint64_t Planner::costOfFunction(const Function &f, unsigned depth)
{
	uint64_t sum = 5;

	if (depth > 4 || f.isDeclaration() || f.isInterposable() || wasWeak(f) || rec.cycles(f) ||
	    !fam.getResult<LoopAnalysis>(const_cast<Function &>(f)).empty())
		return unbounded;
	for (const Instruction &i : instructions(f)) {
		uint64_t c = cost(i, depth + 1);
		if (c == unbounded || sum + c > quickFunction)
			return unbounded;
		sum += c;
	}
	return sum;
}

uint64_t Planner::cost(const Instruction &i, unsigned depth)
{
	if (!isRealCall(i))
		return weight(i);
	const CallBase &c = cast<CallBase>(i);
	if (isQuick(c))
		return 50;
	const Function *f = calledFunction(c);
	return f ? costOfFunction(*f, depth) : unbounded;
}

/* Instructions of one iteration at most. */
uint64_t Planner::work(const Loop &l)
{
	uint64_t sum = 0;

	for (const BasicBlock *b : l.blocks()) {
		if (li.getLoopFor(b) != &l)
			continue;
		for (const Instruction &i : *b) {
			uint64_t c = cost(i, 0);
			if (c == unbounded)
				return unbounded;
			sum += c;
		}
	}
	for (const Loop *sub : l) {
		uint64_t trips = se.getSmallConstantMaxTripCount(sub), each = work(*sub);
		if (!trips || each == unbounded || each > chunkWork / trips)
			return unbounded;
		sum += each * trips;
	}
	return sum;
}

bool Planner::counted(const Loop &l)
{
	return l.isLoopSimplifyForm() && l.getExitingBlock() == l.getLoopLatch() &&
	       l.getLoopLatch() && l.getExitBlock() &&
	       !isa<SCEVCouldNotCompute>(se.getBackedgeTakenCount(&l)) &&
	       se.getBackedgeTakenCount(&l)->getType()->isIntegerTy() &&
	       se.getTypeSizeInBits(se.getBackedgeTakenCount(&l)->getType()) <= 64 &&
	       se.getTypeSizeInBits(se.getBackedgeTakenCount(&l)->getType()) >= 16;
}

bool Planner::isLong(const Loop &l)
{
	uint64_t n = 0;

	for (const BasicBlock *b : l.blocks())
		for (const Instruction &i : *b) {
			uint64_t c = cost(i, 0);
			if (c == unbounded || isa<SwitchInst>(i))
				return true;
			n += c;
		}
	return n >= longBody;
}

/* Every iteration comes by the poll of the call cycle or of a loop within. */
bool Planner::polledAlready(const Loop &l)
{
	const auto passed = [&](const Instruction *i) {
		return i && l.contains(i) && dt.dominates(i->getParent(), l.getLoopLatch());
	};
	return passed(plan.recursion) || any_of(plan.loops, passed);
}

/* A loop that looks at what another thread changes may wait for one that stands still. */
bool Planner::waits(const Loop &l)
{
	for (const BasicBlock *b : l.blocks())
		for (const Instruction &i : *b)
			if (i.isAtomic() || i.isVolatile())
				return true;
	return false;
}

/* Where an iteration has its poll. Not at the latch of a loop around a switch: the ways back from
 * the cases would each get a copy, a branch that is taken, and with so many of them between one
 * switch and the next processors no longer foresee where it goes (an interpreter took half as long
 * again). */
static Instruction *pointOf(const Loop &l, const LoopInfo &li)
{
	for (const BasicBlock *b : l.blocks())
		if (li.getLoopFor(b) == &l && isa<SwitchInst>(b->getTerminator()))
			return &*l.getHeader()->getFirstInsertionPt();
	return l.getLoopLatch()->getTerminator();
}

void Planner::visit(Loop &l)
{
	uint64_t each = work(l), trips = se.getSmallConstantMaxTripCount(&l);

	if (each != unbounded && trips && each <= boundedWork / trips)
		return;
	if (each != unbounded && each <= chunkWork / 16 && counted(l)) {
		uint64_t n = chunkIterations;
		while (n > 16 && n * each > chunkWork)
			n /= 2;
		if (trips && trips <= n)
			return;
		plan.chunked.push_back({l.getHeader(), n});
		return;
	}
	bool wanted = !l.isInnermost() || isLong(l) || (inMain && l.isOutermost()) || counted(l) ||
		      waits(l);
	for (Loop *sub : reverse(l.getSubLoops()))
		visit(*sub);
	if (wanted && l.getLoopLatch() && !polledAlready(l))
		plan.loops.push_back(pointOf(l, li));
}

} // namespace

PollPlan planPolls(Function &f, FunctionAnalysisManager &fam, const Recursion &rec)
{
	PollPlan plan;

	plan.recursion = recursionPoint(f, fam, rec);
	Planner(f, fam, plan, rec).run();
	return plan;
}

std::vector<Instruction *> chunkLoops(Function &f, FunctionAnalysisManager &fam,
				      const PollPlan &plan)
{
	std::vector<Instruction *> at;

	if (plan.recursion)
		at.push_back(plan.recursion);
	for (Instruction *i : plan.loops)
		if (i != plan.recursion)
			at.push_back(i);
	for (const auto &[header, iterations] : plan.chunked)
		if (Instruction *i = chunkLoop(f, fam, header, iterations))
			at.push_back(i);
	return at;
}

} // namespace drover
