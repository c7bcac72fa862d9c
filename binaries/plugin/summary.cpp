/* The call summary, written at `-c`: what the driver needs to decide for the whole program which
 * functions may reach a migration point. */
#include "plugin.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <map>

using namespace llvm;

namespace drover
{

/* An inline function whose definition is elsewhere: calls here use a local copy, or frames of it
 * would need what only that definition's module has. */
static void localInlines(Module &m)
{
	for (Function &f : m) {
		if (!f.hasAvailableExternallyLinkage())
			continue;
		if (addressTaken(f) && !f.hasFnAttribute(Attribute::AlwaysInline))
			f.deleteBody();
		else
			f.setLinkage(GlobalValue::InternalLinkage);
	}
}

/* Which functions get a poll of their own: the plan is made on a copy, as at link time. */
static StringSet<> functionsWithPolls(const Module &m)
{
	std::unique_ptr<Module> copy = CloneModule(m);
	StringSet<> polls;
	std::vector<Function *> fns;

	nameConstants(*copy);
	for (Function &f : *copy)
		lowerComputedGoto(f);
	neutralCalls(*copy);
	for (Function &f : *copy)
		if (!f.isDeclaration() && refusal(f).reason.empty())
			fns.push_back(&f);
	Neutral n(*copy);
	for (Function *f : fns)
		n.simplify(*f);
	Recursion rec(*copy);
	for (Function *f : fns)
		if (!planPolls(*f, n.analyses(), rec).empty())
			polls.insert(f->getName());
	return polls;
}

static void writeCalls(raw_ostream &os, const Function &f)
{
	StringSet<> seen;

	for (const Instruction &i : instructions(f)) {
		if (!isRealCall(i) || isAreaCall(i))
			continue;
		auto *c = cast<CallBase>(&i);
		const Function *g = calledFunction(*c);
		std::string line = g ? "C " + g->getName().str() : "I " + shapeOf(*c);
		if (seen.insert(line).second)
			os << line << '\n';
		/* By a weak name, it may be another function. */
		auto *a = dyn_cast<GlobalAlias>(c->getCalledOperand());
		if (a && a->isInterposable() && seen.insert("C " + a->getName().str()).second)
			os << "C " << a->getName() << '\n';
	}
}

/* A function that can be on the stack while something migrates. */
static bool matters(const Function &f)
{
	for (const Instruction &i : instructions(f))
		if (isRealCall(i))
			return true;
	return false;
}

static void writeDefinition(raw_ostream &os, const Function &f, bool polls)
{
	Refusal why = refusal(f);
	std::string flags;

	if (polls)
		flags += 'p';
	if (addressTaken(f))
		flags += 'a';
	if (!why.reason.empty()) {
		std::string reason = why.reason;
		std::replace(reason.begin(), reason.end(), ' ', '_');
		flags += "n:" + reason;
		if (matters(f))
			warnNeverMigrates(f, why);
	}
	os << "D " << f.getName() << ' ' << (f.hasLocalLinkage() ? 'L' : 'G') << ' '
	   << (f.getSubprogram() ? f.getSubprogram()->getLine() : 0) << ' '
	   << (flags.empty() ? "-" : flags) << '\n';
	writeCalls(os, f);
}

static char letter(const GlobalValue &g)
{
	auto *v = dyn_cast<GlobalVariable>(&g);

	if (g.isDeclarationForLinker())
		return 'U';
	if (g.hasCommonLinkage())
		return 'C';
	if (g.isWeakForLinker())
		return 'W';
	if (!v)
		return 'T';
	if (v->isConstant())
		return 'R';
	return v->getInitializer()->isNullValue() ? 'B' : 'D';
}

static void writeSymbols(raw_ostream &os, const Module &m)
{
	const DataLayout &dl = m.getDataLayout();

	for (const GlobalValue &g : m.global_values()) {
		auto *f = dyn_cast<Function>(&g);
		if (g.hasLocalLinkage() || g.getName().starts_with("llvm.") ||
		    g.getName() == "__drover_va_area" || (f && f->isIntrinsic()))
			continue;
		/* A weak reference asks for nothing. */
		if (g.isDeclarationForLinker() && (g.use_empty() || g.hasExternalWeakLinkage()))
			continue;
		uint64_t size = 0;
		if (auto *v = dyn_cast<GlobalVariable>(&g))
			if (!v->isDeclarationForLinker())
				size = dl.getTypeAllocSize(v->getValueType());
		os << "G " << g.getName() << ' ' << letter(g) << ' ' << size << '\n';
	}
	/* Static variables, so that one which only one ISA has is known. */
	for (const GlobalVariable &v : m.globals())
		if (v.hasInternalLinkage())
			os << "S " << v.getName() << ' ' << dl.getTypeAllocSize(v.getValueType())
			   << '\n';
}

void runSummary(Module &m)
{
	std::error_code ec;

	if (reportUnsupported(m))
		return;
	writeTypes(m);
	localInlines(m);
	StringSet<> polls = functionsWithPolls(m);
	raw_fd_ostream os(summaryFile(), ec, sys::fs::OF_None);
	if (ec) {
		fail(m, "cannot write call summary '" + summaryFile() + "': " + ec.message());
		return;
	}
	os << "V 1\n";
	for (const Function &f : m)
		if (!f.isDeclaration())
			writeDefinition(os, f, polls.contains(f.getName()));
	for (const Function &f : m)
		if (!f.isIntrinsic() && addressTaken(f))
			os << "T " << f.getName() << ' ' << shapeOf(f) << '\n';
	writeSymbols(os, m);
	os.close();
	if (os.has_error()) {
		fail(m,
		     "cannot write call summary '" + summaryFile() + "': " + os.error().message());
		os.clear_error();
	}
}

} // namespace drover
