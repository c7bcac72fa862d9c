/* Entry of the plugin: options, and where the passes sit in clang's pipeline.
 *
 * The pass goes in at the start of the pipeline, the only place that clang reaches at -O0 too.
 * In summary mode everything optional behind it is skipped, so that the bitcode written is what
 * the front end made. */
#include "plugin.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

static cl::opt<drover::Mode>
	optMode("drover-mode", cl::desc("What the Drover plugin does"), cl::init(drover::Mode::Off),
		cl::values(clEnumValN(drover::Mode::Summary, "summary", "write the call summary"),
			   clEnumValN(drover::Mode::Instrument, "instrument",
				      "place migration points, save and rebuild"),
			   clEnumValN(drover::Mode::Layout, "layout", "name sections only")));
static cl::opt<std::string> optModule("drover-module", cl::desc("Module id, equal on both ISAs"));
static cl::opt<std::string> optSummary("drover-summary", cl::desc("Call summary to write"));
static cl::opt<std::string> optMigrating("drover-migrating",
					 cl::desc("List of functions that may migrate"));
static cl::opt<bool>
	optNativeVariadics("drover-native-variadics",
			   cl::desc("Leave variable arguments as the platform has them"));
static cl::opt<bool> optDropDebug("drover-drop-debug",
				  cl::desc("Drop debug information after instrumenting"));

static cl::opt<std::string> optDiagnostics("drover-diagnostics",
					   cl::desc("What becomes of each group of messages"));

namespace drover
{

Level level(StringRef group)
{
	SmallVector<StringRef, 8> items;

	StringRef(optDiagnostics).split(items, ',');
	for (StringRef item : items) {
		auto [name, what] = item.split('=');
		if (name == group)
			return what == "off"    ? Level::Ignore
			       : what == "told" ? Level::Told
			       : what == "on"   ? Level::Warning
						: Level::Error;
	}
	return group == "unsupported" ? Level::Error
	       : group == "waits"     ? Level::Ignore
				      : Level::Warning;
}

Mode mode()
{
	return optMode;
}

const std::string &moduleId()
{
	return optModule;
}

const std::string &summaryFile()
{
	return optSummary;
}

const std::string &migratingFile()
{
	return optMigrating;
}

bool nativeVariadics()
{
	return optNativeVariadics;
}

bool dropDebugInfo()
{
	return optDropDebug;
}

} // namespace drover

namespace
{

struct EarlyPass : PassInfoMixin<EarlyPass> {
	PreservedAnalyses run(Module &m, ModuleAnalysisManager &)
	{
		switch (drover::mode()) {
		case drover::Mode::Summary:
			drover::runSummary(m);
			return PreservedAnalyses::all();
		case drover::Mode::Instrument:
			drover::runInstrument(m);
			break;
		case drover::Mode::Layout:
			drover::runLayout(m);
			break;
		case drover::Mode::Off:
			return PreservedAnalyses::all();
		}
		if (drover::dropDebugInfo())
			StripDebugInfo(m);
		std::string report;
		raw_string_ostream os(report);
		if (verifyModule(m, &os))
			report_fatal_error(Twine("drover: broken module after instrumenting: ") +
					   os.str());
		return PreservedAnalyses::none();
	}
	static bool isRequired()
	{
		return true;
	}
};

struct LatePass : PassInfoMixin<LatePass> {
	PreservedAnalyses run(Module &m, ModuleAnalysisManager &)
	{
		drover::separateLandingPads(m);
		drover::accumulateInPlace(m);
		return PreservedAnalyses::none();
	}
	static bool isRequired()
	{
		return true;
	}
};

/* The function that a pass is about to work on, if it is one or a part of one. */
const Function *worksOn(const Any &ir)
{
	if (const auto *f = any_cast<const Function *>(&ir))
		return *f;
	if (const auto *l = any_cast<const Loop *>(&ir))
		return (*l)->getHeader()->getParent();
	return nullptr;
}

/* A resume clone runs once and is to be small: of the optional passes these few make it so, and
 * the others, which look for speed, would take longer than those of the function itself. */
bool worthwhile(StringRef pass, const Any &ir)
{
	const Function *f = worksOn(ir);

	return !f || !drover::isResume(*f) || pass == "SROAPass" || pass == "EarlyCSEPass" ||
	       pass == "InstCombinePass" || pass == "SimplifyCFGPass" || pass == "ADCEPass";
}

void registerPasses(PassBuilder &pb)
{
	pb.registerPipelineStartEPCallback(
		[](ModulePassManager &pm, OptimizationLevel) { pm.addPass(EarlyPass()); });
	if (drover::mode() == drover::Mode::Instrument)
		pb.registerOptimizerLastEPCallback(
			[](ModulePassManager &pm, OptimizationLevel) { pm.addPass(LatePass()); });
	PassInstrumentationCallbacks *pic = pb.getPassInstrumentationCallbacks();
	if (drover::mode() == drover::Mode::Summary && pic)
		pic->registerShouldRunOptionalPassCallback([](StringRef, Any) { return false; });
	if (drover::mode() == drover::Mode::Instrument && pic)
		pic->registerShouldRunOptionalPassCallback(worthwhile);
}

} // namespace

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo llvmGetPassPluginInfo()
{
	return {LLVM_PLUGIN_API_VERSION, "drover", "1", registerPasses};
}
