/* What cannot move: constructs that keep a function from being instrumented (it is then left as
 * it is and never migrates), and calls that a program which moves may not make or should know of.
 */
#include "plugin.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace drover
{

static const char *refusedIntrinsic(Intrinsic::ID id)
{
	switch (id) {
	case Intrinsic::vastart:
	case Intrinsic::vacopy:
	case Intrinsic::vaend:
		return "a va_list of the platform";
	case Intrinsic::frameaddress:
	case Intrinsic::returnaddress:
	case Intrinsic::addressofreturnaddress:
	case Intrinsic::sponentry:
		return "address of its own native frame";
	case Intrinsic::read_register:
	case Intrinsic::write_register:
	case Intrinsic::read_volatile_register:
		return "named machine register";
	case Intrinsic::eh_sjlj_setjmp:
	case Intrinsic::eh_sjlj_longjmp:
		return "__builtin_setjmp or __builtin_longjmp";
	case Intrinsic::localescape:
	case Intrinsic::localrecover:
		return "structured exception handling";
	default:
		return nullptr;
	}
}

static const char *refusedCall(const CallBase &c)
{
	if (auto *a = dyn_cast<InlineAsm>(c.getCalledOperand()))
		return StringRef(a->getAsmString()).trim().empty() ? nullptr : "inline assembly";
	if (auto *i = dyn_cast<IntrinsicInst>(&c))
		return refusedIntrinsic(i->getIntrinsicID());
	if (c.hasFnAttr(Attribute::ReturnsTwice) && !isSetjmp(c))
		return "call of a function that returns twice";
	if (c.isMustTailCall())
		return "guaranteed tail call";
	return nullptr;
}

static const char *refusedInstruction(const Instruction &i)
{
	if (auto *a = dyn_cast<AllocaInst>(&i))
		return isa<ScalableVectorType>(a->getAllocatedType())
			       ? "vector of a size unknown to the compiler"
			       : nullptr;
	if (isa<VAArgInst>(i))
		return "a va_list of the platform";
	if (isa<CallBrInst>(i))
		return "asm goto";
	if (isa<LandingPadInst>(i) || i.isEHPad() || isa<InvokeInst>(i))
		return "exception handling";
	if (i.getType()->isX86_FP80Ty())
		return "80-bit long double";
	auto *c = dyn_cast<CallBase>(&i);
	return c ? refusedCall(*c) : nullptr;
}

Refusal refusal(const Function &f)
{
	if (f.hasFnAttribute(Attribute::Naked))
		return {"naked function"};
	if (f.hasFnAttribute(Attribute::PresplitCoroutine))
		return {"coroutine"};
	if (f.hasPersonalityFn())
		return {"exception handling"};
	if (f.getCallingConv() != CallingConv::C)
		return {"calling convention of its own"};
	for (const Instruction &i : instructions(f))
		if (const char *why = refusedInstruction(i))
			return {why, &i};
	return {};
}

/* Messages of a group, as the driver wants them. `told`: a warning whatever -Werror says, so clang
 * must not see it. Returns whether it is an error. */
static bool report(const Function &f, const Twine &message, const Instruction *at, StringRef group)
{
	DebugLoc where = at ? at->getDebugLoc() : DebugLoc();
	Level l = level(group);
	std::string in = ("in function '" + f.getName() + "': ").str();
	std::string text =
		((group == "never-migrates" ? "" : in) + message + " [-Wdrover-" + group + "]")
			.str();

	if (l == Level::Ignore)
		return false;
	if (l == Level::Told) {
		DISubprogram *sp = f.getSubprogram();
		errs() << (sp ? sp->getFilename() : StringRef(f.getParent()->getSourceFileName()))
		       << ':'
		       << (where ? where.getLine()
			   : sp  ? sp->getLine()
				 : 0)
		       << ": warning: " << text << '\n';
		return false;
	}
	f.getContext().diagnose(DiagnosticInfoUnsupported(
		f, text, DiagnosticLocation(where), l == Level::Error ? DS_Error : DS_Warning));
	return l == Level::Error;
}

/* va_start and va_arg that did not come by bits/drover.h, or have nothing to ask for. */
static unsigned reportVariadic(const Function &f, const Instruction &i)
{
	auto *c = dyn_cast<IntrinsicInst>(&i);
	const char *what = nullptr;

	if (isAreaCall(i) && !f.isVarArg())
		what = "va_start in a function with fixed arguments";
	else if (!nativeVariadics() &&
		 (isa<VAArgInst>(i) || (c && c->getIntrinsicID() == Intrinsic::vastart)))
		what = "a va_list of the platform, whose form depends on the ISA; include "
		       "<stdarg.h>";
	if (!what)
		return 0;
	return report(f, what, &i, "unsupported");
}

/* The type behind typedefs and qualifiers. */
static const DIType *plain(const DIType *t)
{
	auto *d = dyn_cast_or_null<DIDerivedType>(t);

	return d && d->getTag() != dwarf::DW_TAG_pointer_type && d->getBaseType()
		       ? plain(d->getBaseType())
		       : t;
}

/* What the members of a type are at the bottom: floating-point numbers by their size, all else as
 * 0. */
static void leaves(const DIType *t, SmallSet<uint64_t, 4> &out)
{
	t = plain(t);
	if (auto *b = dyn_cast_or_null<DIBasicType>(t)) {
		unsigned e = b->getEncoding();
		out.insert(e == dwarf::DW_ATE_float           ? b->getSizeInBits()
			   : e == dwarf::DW_ATE_complex_float ? b->getSizeInBits() / 2
							      : 0);
		return;
	}
	auto *c = dyn_cast_or_null<DICompositeType>(t);
	if (!c || c->getTag() == dwarf::DW_TAG_enumeration_type) {
		out.insert(0);
	} else if (c->getTag() == dwarf::DW_TAG_array_type) {
		if (c->isVector())
			out.insert(c->getSizeInBits());
		else
			leaves(c->getBaseType(), out);
	} else {
		for (const DINode *e : c->getElements())
			if (auto *m = dyn_cast<DIDerivedType>(e))
				leaves(m->getBaseType(), out);
	}
}

static bool isMixedUnion(const DIType *t, const Type *ir, const DataLayout &dl)
{
	SmallSet<uint64_t, 4> kinds;

	if (!isWideHomogeneous(const_cast<Type *>(ir), dl))
		return false;
	leaves(t, kinds);
	return kinds.size() > 1;
}

/* A union that looks like a structure of a few floating-point numbers to x86-64's front end, and
 * does not to AArch64's, which knows the other members. Each that is handed over has a function
 * defined that takes or returns it. There, aggregates over 16 bytes are `byval`, in order. */
static unsigned reportUnions(const Function &f)
{
	const DataLayout &dl = f.getParent()->getDataLayout();
	DISubprogram *sp = f.isDeclaration() ? nullptr : f.getSubprogram();
	SmallVector<const DIType *, 8> wide;
	unsigned next = 0;
	bool found = false;

	if (!sp || !sp->getType() || !sp->getType()->getTypeArray().size())
		return 0;
	DITypeRefArray types = sp->getType()->getTypeArray();
	for (unsigned i = 1; i < types.size(); i++)
		if (types[i] && plain(types[i])->getSizeInBits() > 128)
			wide.push_back(types[i]);
	for (const Argument &a : f.args()) {
		if (Type *t = a.getParamStructRetType())
			found |= isMixedUnion(types[0], t, dl);
		Type *t = a.getParamByValType();
		if (t && dl.getTypeAllocSize(t) > 16 && next < wide.size())
			found |= isMixedUnion(wide[next++], t, dl);
	}
	return found &&
	       report(f,
		      "a union of floating-point numbers and other members, over 16 bytes, "
		      "by value: the ISAs hand it over in different ways; pass its address",
		      nullptr, "unsupported");
}

/* Calls that a message is due for, in its group. */
static const struct {
	const char *name, *group, *what;
} calls[] = {
	{"vfork", "unsupported",
	 "a program that migrates cannot share a stack with another process; use posix_spawn"},
	{"dlopen", "dlopen",
	 "it always answers with an error, for a program takes its libraries when it is linked"},
	{"fork", "waits",
	 "a migration asked for afterwards waits until the child process has ended"},
	{"posix_spawn", "waits",
	 "a migration asked for afterwards waits until the child process has ended"},
	{"posix_spawnp", "waits",
	 "a migration asked for afterwards waits until the child process has ended"},
	{"popen", "waits", "a migration asked for afterwards waits until pclose"},
};

static unsigned reportCall(const Function &f, const CallBase &c)
{
	const Function *g = calledFunction(c);

	for (const auto &k : calls)
		if (g && g->getName() == k.name)
			return report(f, "call of '" + g->getName() + "': " + k.what, &c, k.group);
	return 0;
}

unsigned reportUnsupported(Module &m)
{
	unsigned errors = 0;

	for (Function &f : m) {
		errors += reportUnions(f);
		for (Instruction &i : instructions(f)) {
			errors += reportVariadic(f, i);
			if (isRealCall(i))
				errors += reportCall(f, cast<CallBase>(i));
		}
	}
	return errors;
}

void warnNeverMigrates(const Function &f, const Refusal &why)
{
	report(f, "function '" + f.getName() + "' never migrates: " + why.reason, why.at,
	       "never-migrates");
}

void fail(Module &m, const Twine &message)
{
	std::string text = m.getSourceFileName() + ": " + message.str();

	m.getContext().emitError(text);
}

} // namespace drover
