/* f.resume: the clone that rebuilds one activation of f from its record and goes on.
 *
 * The clone is the whole function with another entry: a switch over the record's site, which leads
 * to where the site's call would have returned to, by way of a call of the inner frame's clone.
 * What any site saves has its home in one block of memory: the runtime fills the block from the
 * record by a table of what belongs where, and by the same table it makes a record of it again. So
 * all landing pads are one piece of code, no value has as many definitions as there are sites, and
 * the size of the clone is about that of the function. It runs once: the next call is of the
 * function itself. */
#include "homes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/Local.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

using namespace llvm;

namespace drover
{

namespace
{

const char coldSection[] = ".text.cold.";

/* Sites that rebuild their inner frame by one call of one type. */
struct Inner {
	const Site *first;
	BasicBlock *enter;
	InvokeInst *call;
	BasicBlock *after;
	SwitchInst *next; /* if there are several sites */
};

class Resume
{
      public:
	explicit Resume(Instrumented &fn)
	    : fn(fn), f(*fn.f), m(*f.getParent()), ctx(m.getContext()),
	      ptr(PointerType::get(ctx, 0)), homes(fn, map)
	{
	}
	void run();

      private:
	void clone();
	void demoteAll();
	void enter();
	void makeKeep();
	BasicBlock *restore(const Site &s);
	void armJumps(const Site &s, BasicBlock *from, BasicBlock *to);
	DebugLoc lineOf(const Site &s);
	Inner makeInner(const Site &s);
	Inner &innerOf(const Site &s);
	BasicBlock *rebuildInner(const Site &s);
	void tellDebugger();
	void tellDebugger(const DbgVariableRecord &was, BasicBlock::iterator at);
	void attributes();

	Instrumented &fn;
	Function &f;
	Module &m;
	LLVMContext &ctx;
	Type *ptr;
	Function *r = nullptr;
	BasicBlock *entry = nullptr, *keep = nullptr, *none = nullptr;
	Value *site = nullptr; /* the record's */
	ValueToValueMapTy map;
	Homes homes;
	std::vector<Inner> inners;
	std::vector<Instruction *> placeholders;
};

void Resume::clone()
{
	FunctionType *t = FunctionType::get(f.getReturnType(), {ptr}, false);
	SmallVector<ReturnInst *, 8> returns;

	r = Function::Create(t, GlobalValue::InternalLinkage, f.getName() + ".resume", &m);
	r->getArg(0)->setName("frame");
	entry = BasicBlock::Create(ctx, "resume", r);
	for (Argument &a : f.args()) {
		auto *p = new FreezeInst(PoisonValue::get(a.getType()), a.getName(), entry);
		placeholders.push_back(p);
		map[&a] = p;
	}
	CloneFunctionInto(r, &f, map, CloneFunctionChangeType::LocalChangesOnly, returns);
	r->setLinkage(GlobalValue::InternalLinkage);
	r->setVisibility(GlobalValue::DefaultVisibility);
	r->setDLLStorageClass(GlobalValue::DefaultStorageClass);
	r->setComdat(nullptr);
	new UnreachableInst(ctx, entry);
	for (AllocaInst *a : fn.frame.natives)
		cast<AllocaInst>(map[a])->moveBefore(*entry, entry->begin());
	homes.place(entry->begin());
	/* A result gets a block of its own to be kept in: what is rebuilt enters behind it. */
	for (const Site &s : fn.sites) {
		auto *go = cast<BasicBlock>(map[s.go]);
		BasicBlock *result = BasicBlock::Create(ctx, "result", r, go);
		BranchInst::Create(go, result);
		cast<InvokeInst>(map[s.invoke])->setNormalDest(result);
	}
}

void Resume::demoteAll()
{
	homes.moveIn();
	for (const Site &s : fn.sites)
		if (!s.invoke->use_empty())
			homes.demote(s.invoke);
	for (const Jump &j : fn.jumps)
		homes.demote(j.call);
	/* Arguments have no value here but what is loaded. */
	for (Instruction *p : placeholders)
		for (User *u : make_early_inc_range(p->users()))
			if (auto *s = dyn_cast<StoreInst>(u); s && s->getParent() == entry)
				s->eraseFromParent();
}

/* Every jump buffer in use shall lead here: its node gets this frame's registers. The number a
 * longjmp brings is where the first setjmp's result was. */
void Resume::armJumps(const Site &s, BasicBlock *from, BasicBlock *to)
{
	IRBuilder<> b(from);

	b.SetCurrentDebugLocation(nowhere(*r));
	for (const Jump &j : fn.jumps) {
		APInt offset(64, 0);
		Value *base = j.call->getArgOperand(0);
		if (!j.reach.count(s.go))
			continue;
		/* From the frame's base, which was saved. */
		while (!homes.have(base)) {
			auto *g = cast<GetElementPtrInst>(base);
			g->accumulateConstantOffset(m.getDataLayout(), offset);
			base = g->getPointerOperand();
		}
		BasicBlock *arm = BasicBlock::Create(ctx, "arm", r);
		BasicBlock *next = BasicBlock::Create(ctx, "armed", r);
		Value *node = b.CreateLoad(ptr, homes.of(b, base));
		node = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), node, offset.getZExtValue());
		Value *armed = b.CreateAlignedLoad(b.getInt64Ty(), armedAddress(b, node), Align(8));
		b.CreateCondBr(b.CreateIsNotNull(armed), arm, next);
		b.SetInsertPoint(arm);
		CallInst *c =
			b.CreateCall(j.call->getFunctionType(), j.call->getCalledOperand(), {node});
		c->setAttributes(j.call->getAttributes());
		if (homes.have(j.call))
			homes.store(b, c, j.call);
		b.CreateCondBr(b.CreateIsNull(c), next, cast<BasicBlock>(map[j.again]));
		b.SetInsertPoint(next);
	}
	b.CreateBr(to);
}

/* A debugger shall see a rebuilt frame where the program called. */
DebugLoc Resume::lineOf(const Site &s)
{
	auto *was = dyn_cast_or_null<Instruction>(static_cast<Value *>(map[s.invoke]));

	return was && was->getDebugLoc() && !dropDebugInfo() ? was->getDebugLoc() : nowhere(*r);
}

static AttributeSet resultAttributes(const Site &s)
{
	return s.invoke->getAttributes().getRetAttrs();
}

/* The call of the inner frame's clone. Another capture saves the site the record has. */
Inner Resume::makeInner(const Site &s)
{
	BasicBlock *enter = BasicBlock::Create(ctx, "inner", r);
	BasicBlock *after = BasicBlock::Create(ctx, "rebuilt", r), *pad = landingPad(*r);
	Type *result = s.invoke->getFunctionType()->getReturnType();
	IRBuilder<> b(enter);

	b.SetCurrentDebugLocation(lineOf(s));
	CallInst *inner = b.CreateCall(
		coldFunction(m, "__drover_inner",
			     FunctionType::get(StructType::get(ptr, ptr), {ptr}, false)),
		{r->getArg(0)});
	inner->setDoesNotThrow();
	InvokeInst *call = b.CreateInvoke(FunctionType::get(result, {ptr}, false),
					  b.CreateExtractValue(inner, 0), after, pad,
					  {b.CreateExtractValue(inner, 1)});
	call->setCallingConv(CallingConv::C);
	call->addFnAttr(Attribute::NoMerge);
	call->setAttributes(
		call->getAttributes().addRetAttributes(ctx, AttrBuilder(ctx, resultAttributes(s))));
	b.SetInsertPoint(pad->getTerminator());
	leadPad(pad, keep,
		b.CreateInBoundsGEP(fn.table->getValueType(), fn.table, {b.getInt32(0), site}));
	return {&s, enter, call, after, nullptr};
}

Inner &Resume::innerOf(const Site &s)
{
	for (Inner &i : inners)
		if (i.first->invoke->getFunctionType()->getReturnType() ==
			    s.invoke->getFunctionType()->getReturnType() &&
		    resultAttributes(*i.first) == resultAttributes(s) &&
		    lineOf(*i.first) == lineOf(s))
			return i;
	inners.push_back(makeInner(s));
	return inners.back();
}

/* Where the inner frame is rebuilt; behind it the result is where the call's result was. */
BasicBlock *Resume::rebuildInner(const Site &s)
{
	Inner &i = innerOf(s);
	auto *go = cast<BasicBlock>(map[s.go]);

	if (homes.have(s.invoke)) {
		BasicBlock *result = BasicBlock::Create(ctx, "result", r);
		IRBuilder<> b(result);
		b.SetCurrentDebugLocation(nowhere(*r));
		homes.store(b, i.call, s.invoke);
		b.CreateBr(go);
		go = result;
	}
	if (!i.next) {
		i.next = SwitchInst::Create(site, none, 8, i.after);
		i.next->setDebugLoc(nowhere(*r));
	}
	i.next->addCase(ConstantInt::get(Type::getInt32Ty(ctx), s.number), go);
	return i.enter;
}

BasicBlock *Resume::restore(const Site &s)
{
	BasicBlock *to = s.kind == 0 ? cast<BasicBlock>(map[s.go]) : rebuildInner(s);

	if (fn.jumps.empty())
		return to;
	BasicBlock *block = BasicBlock::Create(ctx, "restore", r);
	armJumps(s, block, to);
	return block;
}

/* Where all landing pads lead. */
void Resume::makeKeep()
{
	keep = BasicBlock::Create(ctx, "keep", r);
	IRBuilder<> b(keep);

	b.SetCurrentDebugLocation(nowhere(*r));
	PHINode *row = b.CreatePHI(ptr, static_cast<unsigned>(fn.sites.size()), "row");
	CallInst *c =
		b.CreateCall(coldFunction(m, "__drover_keep",
					  FunctionType::get(b.getVoidTy(), {ptr, ptr, ptr}, false)),
			     {row, homes.block, homes.table});
	c->addParamAttr(1, Attribute::NoCapture);
	c->setDoesNotReturn();
	b.CreateUnreachable();
	for (const Site &s : fn.sites)
		leadPad(cast<BasicBlock>(map[s.pad]), keep, siteRow(fn, s.number));
}

void Resume::enter()
{
	none = BasicBlock::Create(ctx, "none", r);
	IRBuilder<> b(none);

	b.SetCurrentDebugLocation(nowhere(*r));
	b.CreateUnreachable();
	entry->getTerminator()->eraseFromParent();
	b.SetInsertPoint(entry);
	CallInst *load = b.CreateCall(
		coldFunction(m, "__drover_load",
			     FunctionType::get(b.getInt32Ty(), {ptr, ptr, ptr}, false)),
		{r->getArg(0), homes.block, homes.table});
	load->addParamAttr(1, Attribute::NoCapture);
	load->setDoesNotThrow();
	site = load;
	SwitchInst *s = b.CreateSwitch(site, none, static_cast<unsigned>(fn.sites.size()));
	for (const Site &one : fn.sites)
		s->addCase(b.getInt32(one.number), restore(one));
}

/* The last record of a variable on the way to `from`, as far as every way passes it. */
static DbgVariableRecord *lastRecord(const DebugVariable &of, BasicBlock *b,
				     const DominatorTree &dt)
{
	for (auto *node = dt.getNode(b); node; node = node->getIDom())
		for (Instruction &i : reverse(*node->getBlock()))
			for (DbgVariableRecord &r : reverse(filterDbgVars(i.getDbgRecordRange())))
				if (DebugVariable(&r) == of)
					return &r;
	return nullptr;
}

/* Behind a site arguments are in their homes, which nothing else is ever stored to. Of a variable
 * that is its argument at every site this is said once, at the entry, where no optimiser takes it
 * away with an empty block. */
void Resume::tellDebugger()
{
	DominatorTree dt(f);
	MapVector<DbgVariableRecord *, std::vector<const Site *>> where;

	for (const Site &s : fn.sites)
		for (const Saved &v : s.saved) {
			SmallVector<DbgVariableIntrinsic *> none;
			SmallVector<DbgVariableRecord *> records;
			if (isa<Argument>(v.value) && homes.have(v.value))
				findDbgUsers(none, v.value, &records);
			for (DbgVariableRecord *r : records)
				if (r->getNumVariableLocationOps() == 1 &&
				    lastRecord(DebugVariable(r), s.invoke->getParent(), dt) == r)
					where[r].push_back(&s);
		}
	for (const auto &[record, sites] : where)
		if (sites.size() == fn.sites.size())
			tellDebugger(*record, entry->getTerminator()->getIterator());
		else
			for (const Site *s : sites)
				tellDebugger(*record,
					     cast<BasicBlock>(map[s->go])->getFirstInsertionPt());
}

void Resume::tellDebugger(const DbgVariableRecord &was, BasicBlock::iterator at)
{
	auto *var = cast<DILocalVariable>(MapMetadata(was.getVariable(), map));
	auto *where = cast<DILocation>(MapMetadata(was.getDebugLoc().get(), map));
	auto *deref = DIExpression::prepend(was.getExpression(), DIExpression::DerefAfter,
					    homes.offset(was.getVariableLocationOp(0)));

	at->getParent()->insertDbgRecordBefore(
		new DbgVariableRecord(ValueAsMetadata::get(homes.block), var, deref, where), at);
}

void Resume::attributes()
{
	r->setSection(coldSection + fn.identity);
	r->removeFnAttr(Attribute::AlwaysInline);
	r->removeFnAttr(Attribute::InlineHint);
	r->removeFnAttr(Attribute::NoReturn);
	/* These speak of arguments that the clone doesn't have. */
	r->removeFnAttr(Attribute::AllocSize);
	r->removeFnAttr(Attribute::AllocKind);
	r->addFnAttr(Attribute::NoInline);
	r->addFnAttr(Attribute::Cold);
	if (!r->hasFnAttribute(Attribute::OptimizeNone))
		r->addFnAttr(Attribute::OptimizeForSize);
	/* Keeps the vectorisers out: they need minutes for blocks with as many ways in as the clone
	 * of a large function has. */
	r->addFnAttr(Attribute::NoImplicitFloat);
	/* What the function calls has been inlined there if it pays. */
	for (Instruction &i : instructions(*r))
		if (auto *c = dyn_cast<CallBase>(&i))
			if (isRealCall(*c) && !c->hasFnAttr(Attribute::AlwaysInline))
				c->setIsNoInline();
}

void Resume::run()
{
	clone();
	demoteAll();
	makeKeep();
	enter();
	if (!dropDebugInfo())
		tellDebugger();
	removeUnreachableBlocks(*r);
	for (Instruction *p : placeholders)
		if (p->use_empty())
			p->eraseFromParent();
	attributes();
	fn.resume = r;
}

} // namespace

void makeResume(Instrumented &fn)
{
	Resume(fn).run();
}

bool isResume(const Function &f)
{
	return f.getSection().starts_with(coldSection);
}

} // namespace drover
