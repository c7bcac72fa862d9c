/* Weak definitions: which one counts is known at the link. There the one that counts becomes an
 * ordinary definition, so that it can be instrumented under its name; the others go. Polls are
 * placed as if it were still open, for that is how the call summary saw it. */
#include "plugin.h"
#include "llvm/IR/GlobalAlias.h"

using namespace llvm;

namespace drover
{

static const char was[] = "drover-weak";

bool wasWeak(const Function &f)
{
	return f.hasFnAttribute(was);
}

static void settle(Function &f, const Migrating &mig)
{
	if (mig.replaced(f)) {
		f.deleteBody();
		f.setComdat(nullptr);
		return;
	}
	f.addFnAttr(was);
	f.setLinkage(GlobalValue::ExternalLinkage);
}

static void settle(GlobalAlias &a, const Migrating &mig)
{
	auto *f = dyn_cast<Function>(a.getAliaseeObject());

	if (!f || !mig.replaced(a)) {
		a.setLinkage(GlobalValue::ExternalLinkage);
		return;
	}
	Function *other = Function::Create(f->getFunctionType(), GlobalValue::ExternalLinkage, "",
					   f->getParent());
	other->setAttributes(f->getAttributes());
	a.replaceAllUsesWith(other);
	other->takeName(&a);
	a.eraseFromParent();
}

void settleWeak(Module &m, const Migrating &mig)
{
	std::vector<GlobalAlias *> aliases;

	for (GlobalAlias &a : m.aliases())
		if (a.hasWeakAnyLinkage() && isa<Function>(a.getAliaseeObject()))
			aliases.push_back(&a);
	for (GlobalAlias *a : aliases)
		settle(*a, mig);
	for (Function &f : m)
		if (!f.isDeclaration() && f.hasWeakAnyLinkage())
			settle(f, mig);
}

} // namespace drover
