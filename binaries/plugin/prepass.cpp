/* Target-neutral simplification. Sites are numbered and values chosen on its result, so it must
 * give the same instructions on both ISAs: it runs under a data layout both share, without a
 * target machine, and with the library knowledge of one fixed system.
 *
 * Aggregates are kept in memory here, because the front end touches those that cross a call in
 * pieces that depend on the ISA. The optimiser takes them apart later. */
#include "plugin.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Scalar/TailRecursionElimination.h"
#include "llvm/Transforms/Utils/LCSSA.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"

using namespace llvm;

namespace drover
{

/* What the layouts of x86-64 and AArch64 Linux have in common. */
static const char commonLayout[] = "e-m:e-i64:64-i128:128-n32:64-S128";

struct Neutral::State {
	LoopAnalysisManager lam;
	FunctionAnalysisManager fam;
	CGSCCAnalysisManager cgam;
	ModuleAnalysisManager mam;
	TargetLibraryInfoImpl tlii{Triple("x86_64-unknown-linux-musl")};
	PassBuilder pb;

	State()
	{
		fam.registerPass([this] { return TargetLibraryAnalysis(tlii); });
		pb.registerModuleAnalyses(mam);
		pb.registerCGSCCAnalyses(cgam);
		pb.registerFunctionAnalyses(fam);
		pb.registerLoopAnalyses(lam);
		pb.crossRegisterProxies(lam, fam, cgam, mam);
	}
};

Neutral::Neutral(Module &m)
    : state(std::make_unique<State>()), module(m), target(m.getDataLayoutStr())
{
	m.setDataLayout(commonLayout);
}

Neutral::~Neutral()
{
	module.setDataLayout(target);
}

FunctionAnalysisManager &Neutral::analyses()
{
	return state->fam;
}

/* Also what is copied as a block: a temporary for an argument that is handed over in registers. */
static bool mayCrossCall(const AllocaInst &a)
{
	if (a.getAllocatedType()->isAggregateType() || a.getAllocatedType()->isIntegerTy(128))
		return true;
	for (const User *u : a.users())
		if (isa<MemIntrinsic>(u))
			return true;
	return false;
}

/* A use nothing can look through keeps SROA away from an alloca. */
static std::vector<CallInst *> pinAggregates(Function &f)
{
	std::vector<CallInst *> pins;
	std::vector<AllocaInst *> allocas;
	Type *none = Type::getVoidTy(f.getContext());
	FunctionCallee pin = f.getParent()->getOrInsertFunction(
		"__drover_pin", none, PointerType::get(f.getContext(), 0));

	for (Instruction &i : instructions(f))
		if (auto *a = dyn_cast<AllocaInst>(&i))
			if (mayCrossCall(*a))
				allocas.push_back(a);
	for (AllocaInst *a : allocas)
		pins.push_back(CallInst::Create(pin, {a}, "", std::next(a->getIterator())));
	return pins;
}

static void unpin(Function &f, const std::vector<CallInst *> &pins)
{
	for (CallInst *c : pins)
		c->eraseFromParent();
	if (Function *pin = f.getParent()->getFunction("__drover_pin"))
		if (pin->use_empty())
			pin->eraseFromParent();
}

void Neutral::simplify(Function &f)
{
	SimplifyCFGOptions cfg =
		SimplifyCFGOptions().needCanonicalLoops(true).speculateBlocks(false);
	FunctionPassManager first, rest;

	std::vector<CallInst *> pins = pinAggregates(f);
	first.addPass(SROAPass(SROAOptions::PreserveCFG));
	first.run(f, state->fam);
	unpin(f, pins);
	state->fam.invalidate(f, PreservedAnalyses::none());
	rest.addPass(SimplifyCFGPass(cfg));
	rest.addPass(TailCallElimPass());
	rest.addPass(SimplifyCFGPass(cfg));
	rest.addPass(LoopSimplifyPass());
	rest.addPass(LCSSAPass());
	rest.addPass(createFunctionToLoopPassAdaptor(LoopRotatePass()));
	rest.addPass(LoopSimplifyPass());
	rest.addPass(LCSSAPass());
	rest.run(f, state->fam);
	state->fam.invalidate(f, PreservedAnalyses::none());
}

} // namespace drover
