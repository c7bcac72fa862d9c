/* The pass plugin of drover-cc: what its files share.
 *
 * One module goes through these stages at link time (instrument.cpp drives them):
 *
 *   names    string literals and private constants get names made of their content
 *   variadic variable arguments lie in an area of one form
 *   abi      the calling conventions' differences between the ISAs are taken out
 *   prepass  target-neutral simplification, the same instructions on both ISAs
 *   jumps    setjmp stores into nodes on the common stack
 *   frame    stack data whose address escapes moves to the common stack
 *   polls    migration points are placed
 *   sites    calls that may reach one become invokes with a landing pad each
 *   live     what must be saved at each site
 *   save     the landing pads store it
 *   resume   the clone that loads it again and goes on
 *   tables   drover_fns and .state_transform
 *
 * Everything up to `live` must give the same answer on both ISAs: nothing there may ask the
 * target. docs/formats/migration-abi.md specifies what is written. */
#ifndef DROVER_PLUGIN_H
#define DROVER_PLUGIN_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drover
{

/* ---- options.cpp: the command line, -mllvm -drover-... ------------------------------------ */

enum class Mode { Off, Summary, Instrument, Layout };

Mode mode();
const std::string &moduleId();
const std::string &summaryFile();
const std::string &migratingFile();
bool dropDebugInfo();
/* Leave variable arguments as the platform has them: for a C library that is not ours. */
bool nativeVariadics();

/* ---- names.cpp ---------------------------------------------------------------------------- */

uint64_t hash64(llvm::StringRef bytes);
/* The name a symbol has in the whole program: local ones carry the module. */
std::string identity(const llvm::GlobalValue &g);
/* What of a function's type both ISAs agree on, "RET(ARGS)" in 8-byte words: calls through a
 * pointer reach the address-taken functions of the same shape. */
std::string shapeOf(const llvm::Function &f);
std::string shapeOf(const llvm::CallBase &c);
/* Literals and private constants become linkonce_odr constants named by content. */
void nameConstants(llvm::Module &m);
/* Thread-local variables get control objects that pair. */
void nameThreadLocals(llvm::Module &m);
/* Every function and datum gets its section; resume clones have theirs already. */
void nameSections(llvm::Module &m);
/* Keep what both ISAs must have alive and whole. */
void keepData(llvm::Module &m);

/* ---- migrating.cpp: which functions and calls may reach a migration point ------------------ */

class Migrating
{
      public:
	/* Reads the driver's list; false and `error` if it cannot be read. */
	bool load(const std::string &path, std::string &error);
	bool function(const llvm::Function &f) const;
	bool call(const llvm::CallBase &c) const;
	/* Another module's definition of this weak one is the program's. */
	bool replaced(const llvm::GlobalValue &g) const;
	/* "NAME LINE waits|harmless REASON" of this module's functions that are never instrumented,
	 * also of those that only the other ISA has. */
	const std::vector<std::string> &blocked() const
	{
		return blockedLines;
	}

      private:
	llvm::StringSet<> names, shapes, replacedNames;
	std::vector<std::string> blockedLines;
};

/* The function a call names, through casts and aliases; null for an indirect call. */
const llvm::Function *calledFunction(const llvm::CallBase &c);
/* Whether something but calls refers to a function. A call by another type than the function's, as
 * one without a prototype is on some ISAs, is a call all the same. */
bool addressTaken(const llvm::Function &f);
/* A call of a function that is not an intrinsic and not inline assembly. */
bool isRealCall(const llvm::Instruction &i);

/* Weak definitions that count become ordinary ones, those that do not declarations. */
void settleWeak(llvm::Module &m, const Migrating &mig);
/* A definition that was weak: what it does must not be taken for known. */
bool wasWeak(const llvm::Function &f);

/* ---- types.cpp ---------------------------------------------------------------------------- */

/* Writes the layouts of the module's types where -drover-types says, for the comparison of both
 * ISAs. */
void writeTypes(llvm::Module &m);

/* ---- refuse.cpp --------------------------------------------------------------------------- */

/* Why a function can never be instrumented, and where; empty reason if it can. */
struct Refusal {
	std::string reason;
	const llvm::Instruction *at = nullptr;
};
Refusal refusal(const llvm::Function &f);
/* Report what no part of a program may do; returns the number of errors. */
unsigned reportUnsupported(llvm::Module &m);
/* What becomes of a group of messages: -drover-diagnostics. */
enum class Level { Ignore, Told, Warning, Error };
Level level(llvm::StringRef group);
void warnNeverMigrates(const llvm::Function &f, const Refusal &why);
void fail(llvm::Module &m, const llvm::Twine &message);

/* ---- variadic.cpp ------------------------------------------------------------------------- */

/* Rewrites variadic functions and calls: an area of arguments, handed over by its address. */
void neutralVariadics(llvm::Module &m);
/* What va_start asks for. */
bool isAreaCall(const llvm::Instruction &i);
/* The last parameter or argument is the area. */
bool hasArea(const llvm::Function &f);
bool hasArea(const llvm::CallBase &c);

/* ---- abi.cpp ------------------------------------------------------------------------------ */

/* Rewrite by-value aggregates so that both ISAs handle them alike. */
void neutralCalls(llvm::Module &m);
/* A temporary the front end made for an argument by value. */
bool isFreshTemporary(const llvm::Value *v);
/* A structure of 3 or 4 equal floating-point members over 16 bytes, else false. */
bool isWideHomogeneous(llvm::Type *t, const llvm::DataLayout &dl);

/* ---- prepass.cpp -------------------------------------------------------------------------- */

/* Analyses that know no target, over a module whose data layout is the common one meanwhile. */
class Neutral
{
      public:
	explicit Neutral(llvm::Module &m);
	~Neutral();
	void simplify(llvm::Function &f);
	llvm::FunctionAnalysisManager &analyses();

      private:
	struct State;
	std::unique_ptr<State> state;
	llvm::Module &module;
	std::string target;
};

/* ---- goto.cpp ----------------------------------------------------------------------------- */

/* Computed goto becomes a switch over numbers that are the same on both ISAs. */
void lowerComputedGoto(llvm::Function &f);

/* ---- jumps.cpp ---------------------------------------------------------------------------- */

/* A call of setjmp in a function that may be rebuilt. */
struct Jump {
	llvm::CallInst *call;    /* of the native setjmp; its argument is the node */
	llvm::BasicBlock *again; /* behind it: entered by every longjmp; one predecessor, no phi */
	llvm::SmallPtrSet<llvm::BasicBlock *, 32> reach; /* blocks that `again` leads to */
};
/* setjmp, sigsetjmp or another name of theirs. */
bool isSetjmp(const llvm::CallBase &c);
std::vector<Jump> lowerJumps(llvm::Function &f);
/* Fills Jump::reach; after the last change to the blocks. */
void findReach(Jump &j);
/* The word of a node that says whether its jump buffer is in use. */
llvm::Value *armedAddress(llvm::IRBuilder<> &b, llvm::Value *node);

/* ---- frame.cpp ---------------------------------------------------------------------------- */

struct CommonSlot {
	uint64_t offset, size;
	std::string name;
};

struct Frame {
	std::vector<CommonSlot> common;          /* on the common stack, from the frame's base */
	std::vector<llvm::AllocaInst *> natives; /* on the native stack, saved by bytes */
};

/* Moves escaping stack data of `f` to the common stack. */
Frame makeFrame(llvm::Function &f);

/* ---- polls.cpp, stripmine.cpp ------------------------------------------------------------- */

/* The functions of each call cycle inside the module. */
class Recursion
{
      public:
	explicit Recursion(const llvm::Module &m);
	bool cycles(const llvm::Function &f) const;
	/* The call stays inside its function's cycle. */
	bool inner(const llvm::CallBase &c) const;

      private:
	llvm::DenseMap<const llvm::Function *, unsigned> component;
	llvm::DenseMap<const llvm::Function *, bool> cyclic;
	llvm::StringMap<std::vector<const llvm::Function *>> taken;
	friend struct Tarjan;
};

/* Where polls go: before these instructions, and what loops are cut into chunks for it. */
struct PollPlan {
	std::vector<llvm::Instruction *> loops;
	std::vector<std::pair<llvm::BasicBlock *, uint64_t>> chunked; /* header, iterations */
	llvm::Instruction *recursion = nullptr;
	bool empty() const
	{
		return loops.empty() && chunked.empty() && !recursion;
	}
};
PollPlan planPolls(llvm::Function &f, llvm::FunctionAnalysisManager &fam, const Recursion &rec);
/* Carries the plan out; returns the instructions before which a poll belongs. */
std::vector<llvm::Instruction *> chunkLoops(llvm::Function &f, llvm::FunctionAnalysisManager &fam,
					    const PollPlan &plan);
/* Cuts one counted loop into chunks; the place of the poll, or null if it cannot be cut. */
llvm::Instruction *chunkLoop(llvm::Function &f, llvm::FunctionAnalysisManager &fam,
			     llvm::BasicBlock *header, uint64_t iterations);

/* ---- sites.cpp, live.cpp, save.cpp, resume.cpp -------------------------------------------- */

struct Saved {
	llvm::Value *value; /* the SSA value, or the native alloca */
	bool bytes;         /* `size` bytes of the alloca from `from` */
	uint64_t from;
	uint32_t offset, size; /* in the payload */
	std::string type, name;
};

struct Site {
	uint32_t number, kind;
	llvm::InvokeInst *invoke;
	llvm::BasicBlock *go;  /* behind the call: one predecessor, no phi */
	llvm::BasicBlock *pad; /* landing pad block of its own */
	std::string callee;    /* identity, or empty */
	unsigned line;
	std::vector<Saved> saved; /* what most sites of the function save comes first */
	uint32_t size;
};

struct Instrumented {
	llvm::Function *f, *resume = nullptr;
	std::string identity;
	std::string blocked; /* why it could not be instrumented after all */
	uint64_t id;
	unsigned line;
	Frame frame;
	std::vector<Jump> jumps;
	std::vector<Site> sites;
	llvm::GlobalVariable *table = nullptr; /* struct drover_site of each site */
};

/* Symbols of the runtime, declared on first use. */
llvm::Constant *runtimeVariable(llvm::Module &m, llvm::StringRef name, llvm::Type *t);
/* The inliner shall count `cost` for a call off the hot path: less than nothing for what is around.
 */
void setInlineCost(llvm::CallBase &c, int cost);
llvm::FunctionCallee runtimeFunction(llvm::Module &m, llvm::StringRef name, llvm::FunctionType *t);
/* One that is called off the hot path only. */
llvm::FunctionCallee coldFunction(llvm::Module &m, llvm::StringRef name, llvm::FunctionType *t);
/* Return class as in migrator/include/abi.h. */
uint32_t returnClass(llvm::Type *t);
/* Polls and calls become invokes with landing pads of no use yet. */
void makeSites(Instrumented &fn, const Migrating &mig, const std::vector<llvm::Instruction *> &at);
/* Values that a jump back needs and that do not reach every site behind it go to memory. */
void keepAcrossJumps(Instrumented &fn);
/* Fills Site::saved; a message if something live cannot be saved. */
std::string findLive(Instrumented &fn);
/* A landing pad block of no use yet. */
llvm::BasicBlock *landingPad(llvm::Function &f);
/* Leads it to `to`, whose first phi learns which site's row it is: a row of Instrumented::table. */
void leadPad(llvm::BasicBlock *pad, llvm::BasicBlock *to, llvm::Value *site);
llvm::Constant *siteRow(const Instrumented &fn, uint32_t number);
/* Fills the landing pads; after makeResume, which takes them as they are. */
void emitSaves(Instrumented &fn);
void makeResume(Instrumented &fn);
/* A clone made by it. */
bool isResume(const llvm::Function &f);
llvm::DebugLoc nowhere(const llvm::Function &f);

/* ---- tables.cpp --------------------------------------------------------------------------- */

/* Fills Instrumented::table, once it is known what is saved. */
void makeSiteTable(Instrumented &fn);
void emitTables(llvm::Module &m, const std::vector<Instrumented> &fns, const Migrating &mig);

/* ---- the passes --------------------------------------------------------------------------- */

void runSummary(llvm::Module &m);
void runInstrument(llvm::Module &m);
void runLayout(llvm::Module &m);
/* One landing pad per invoke, whatever the optimiser did. */
void separateLandingPads(llvm::Module &m);
void accumulateInPlace(llvm::Module &m);

} // namespace drover

#endif
