/* Which functions and calls may reach a migration point: the driver's list, applied. */
#include "plugin.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace drover
{

bool Migrating::load(const std::string &path, std::string &error)
{
	auto file = MemoryBuffer::getFile(path, true);

	if (!file) {
		error = "cannot read '" + path + "': " + file.getError().message();
		return false;
	}
	SmallVector<StringRef> lines;
	(*file)->getBuffer().split(lines, '\n', -1, false);
	for (StringRef line : lines) {
		if (line.consume_front("*"))
			shapes.insert(line);
		else if (line.consume_front("!"))
			replacedNames.insert(line);
		else if (line.consume_front("#" + moduleId() + " "))
			blockedLines.push_back(line.str());
		else
			names.insert(line);
	}
	return true;
}

const Function *calledFunction(const CallBase &c)
{
	const Value *v = c.getCalledOperand()->stripPointerCastsAndAliases();

	return dyn_cast<Function>(v);
}

/* Whether a use keeps a symbol alive and does nothing else: an entry of llvm.used and the like. */
static bool onlyKeeps(const User &u)
{
	return isa<Constant>(u) && !u.user_empty() && all_of(u.users(), [](const User *v) {
		       auto *g = dyn_cast<GlobalVariable>(v);
		       return g &&
			      (g->getName() == "llvm.used" || g->getName() == "llvm.compiler.used");
	       });
}

bool addressTaken(const Function &f)
{
	for (const Use &u : f.uses()) {
		auto *c = dyn_cast<CallBase>(u.getUser());

		if (c ? c->isCallee(&u) : isa<BlockAddress>(u.getUser()) || onlyKeeps(*u.getUser()))
			continue;
		return true;
	}
	return false;
}

bool isRealCall(const Instruction &i)
{
	auto *c = dyn_cast<CallBase>(&i);

	if (!c || isa<IntrinsicInst>(c) || c->isInlineAsm())
		return false;
	return true;
}

bool Migrating::replaced(const GlobalValue &g) const
{
	return replacedNames.contains(g.getName().str() + "." + moduleId());
}

bool Migrating::function(const Function &f) const
{
	return names.contains(identity(f));
}

bool Migrating::call(const CallBase &c) const
{
	if (!isRealCall(c))
		return false;
	if (const Function *f = calledFunction(c))
		return function(*f);
	return shapes.contains(shapeOf(c));
}

} // namespace drover
