/* The order of things at link time; each stage is a file of its own, see plugin.h. */
#include "plugin.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace drover
{

/* What must not be assumed of anything that may reach a migration point: the frame behind it may
 * be taken down, and memory read. */
static const Attribute::AttrKind untrue[] = {
	Attribute::NoUnwind,  Attribute::Memory,       Attribute::WillReturn,
	Attribute::NoSync,    Attribute::NoFree,       Attribute::NoCallback,
	Attribute::NoRecurse, Attribute::MustProgress, Attribute::Speculatable,
};

static void dropFromFunction(Function &f)
{
	for (Attribute::AttrKind k : untrue)
		f.removeFnAttr(k);
}

/* In every function of the module before any is instrumented: an invoke of something `nounwind`
 * would silently become a call. */
static void dropFalseAttributes(Module &m, const Migrating &mig)
{
	for (Function &f : m) {
		if (mig.function(f))
			dropFromFunction(f);
		for (Instruction &i : instructions(f))
			if (auto *c = dyn_cast<CallBase>(&i))
				if (mig.call(*c))
					for (Attribute::AttrKind k : untrue)
						c->removeFnAttr(k);
	}
}

/* Frames that are not instrumented must stay frames of their own, or the runtime could not see
 * that it has to wait for them. */
static void keepApart(Function &f, const Migrating &mig, bool never)
{
	bool calls = false;

	for (Instruction &i : instructions(f)) {
		if (!isRealCall(i))
			continue;
		auto *c = cast<CallBase>(&i);
		calls = true;
		if (mig.call(*c) || !calledFunction(*c))
			c->setIsNoInline();
	}
	if (never && calls) {
		f.removeFnAttr(Attribute::AlwaysInline);
		f.removeFnAttr(Attribute::InlineHint);
		f.addFnAttr(Attribute::NoInline);
	}
}

static void removeLifetimes(Function &f)
{
	std::vector<Instruction *> gone;

	for (Instruction &i : instructions(f))
		if (i.isLifetimeStartOrEnd())
			gone.push_back(&i);
	for (Instruction *i : gone)
		i->eraseFromParent();
}

/* Takes the sites of a function back. */
static void undo(Instrumented &fn, const std::string &why)
{
	for (Site &s : fn.sites) {
		if (s.kind == 0) {
			BranchInst::Create(s.go, s.invoke->getIterator());
			s.invoke->eraseFromParent();
		} else {
			changeToCall(s.invoke);
		}
	}
	for (Site &s : fn.sites)
		DeleteDeadBlock(s.pad);
	fn.sites.clear();
	warnNeverMigrates(*fn.f, {why});
}

static void instrument(Instrumented &fn, const Migrating &mig, const Recursion &rec, Neutral &n)
{
	Module &m = *fn.f->getParent();
	Function &f = *fn.f;
	FunctionAnalysisManager &fam = n.analyses();

	fn.jumps = lowerJumps(f);
	fn.frame = makeFrame(f);
	fam.invalidate(f, PreservedAnalyses::none());
	PollPlan plan = planPolls(f, fam, rec);
	makeSites(fn, mig, chunkLoops(f, fam, plan));
	fam.invalidate(f, PreservedAnalyses::none());
	keepAcrossJumps(fn);
	std::string why = findLive(fn);
	removeLifetimes(f);
	if (!why.empty()) {
		fn.blocked = why;
		undo(fn, why);
		keepApart(f, mig, true);
	}
	if (fn.sites.empty())
		return;
	f.setPersonalityFn(cast<Constant>(
		runtimeFunction(m, "__drover_personality",
				FunctionType::get(Type::getInt32Ty(m.getContext()), true))
			.getCallee()));
	f.setUWTableKind(UWTableKind::Default);
	makeSiteTable(fn);
	makeResume(fn);
	emitSaves(fn);
}

static std::vector<Instrumented> choose(Module &m, const Migrating &mig)
{
	std::vector<Instrumented> fns;

	for (Function &f : m) {
		if (f.isDeclaration())
			continue;
		bool never = !refusal(f).reason.empty();
		if (never || !mig.function(f)) {
			keepApart(f, mig, never);
			continue;
		}
		Instrumented fn = {};
		fn.f = &f;
		fn.identity = identity(f);
		fn.id = hash64(fn.identity);
		fn.line = f.getSubprogram() ? f.getSubprogram()->getLine() : 0;
		fns.push_back(fn);
	}
	return fns;
}

void runInstrument(Module &m)
{
	Migrating mig;
	std::string error;

	if (!mig.load(migratingFile(), error)) {
		fail(m, error);
		return;
	}
	settleWeak(m, mig);
	nameConstants(m);
	for (Function &f : m)
		lowerComputedGoto(f);
	neutralCalls(m);
	std::vector<Instrumented> fns = choose(m, mig);
	dropFalseAttributes(m, mig);
	{
		Neutral n(m);
		for (Instrumented &fn : fns)
			n.simplify(*fn.f);
		Recursion rec(m);
		for (Instrumented &fn : fns)
			instrument(fn, mig, rec, n);
	}
	emitTables(m, fns, mig);
	nameThreadLocals(m);
	nameSections(m);
	keepData(m);
}

void runLayout(Module &m)
{
	neutralCalls(m);
	nameConstants(m);
	nameThreadLocals(m);
	nameSections(m);
	keepData(m);
}

} // namespace drover
