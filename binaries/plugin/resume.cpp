/* f.resume: the clone that rebuilds one activation of f from its record and goes on.
 *
 * The clone is the whole function with another entry: a switch over the record's site, and behind
 * it one block per site that loads what was saved, rebuilds the inner frame by calling that
 * one's clone, and jumps to where the site's call would have returned to. Values with two
 * definitions then go through memory and back into registers (mem2reg). */
#include "plugin.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/Local.h"
#include "llvm/Transforms/Utils/PromoteMemToReg.h"

using namespace llvm;

namespace drover
{

namespace
{

/* Offsets within struct drover_frame of migrator/include/abi.h. */
const unsigned offsetSite = 8, offsetPayload = 16;

class Resume
{
      public:
	explicit Resume(Instrumented &fn)
	    : fn(fn), f(*fn.f), m(*f.getParent()), ctx(m.getContext()),
	      ptr(PointerType::get(ctx, 0))
	{
	}
	void run();

      private:
	void clone();
	void demote(Value *original);
	void demoteAll();
	void dispatch();
	BasicBlock *restore(const Site &s);
	BasicBlock *armJumps(const Site &s, BasicBlock *from);
	BasicBlock *rebuildInner(const Site &s, BasicBlock *from);
	void attributes();

	Instrumented &fn;
	Function &f;
	Module &m;
	LLVMContext &ctx;
	Type *ptr;
	Function *r = nullptr;
	BasicBlock *entry = nullptr;
	ValueToValueMapTy map;
	DenseMap<Value *, AllocaInst *> slots;
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
	/* A result gets a block of its own to be kept in: what is rebuilt enters behind it. */
	for (const Site &s : fn.sites) {
		auto *go = cast<BasicBlock>(map[s.go]);
		BasicBlock *result = BasicBlock::Create(ctx, "result", r, go);
		BranchInst::Create(go, result);
		cast<InvokeInst>(map[s.invoke])->setNormalDest(result);
	}
}

void Resume::demote(Value *original)
{
	if (slots.count(original))
		return;
	auto *i = dyn_cast_or_null<Instruction>(static_cast<Value *>(map[original]));
	if (!i || i->use_empty())
		return;
	if (AllocaInst *slot = DemoteRegToStack(*i, false, entry->begin()))
		slots[original] = slot;
}

void Resume::demoteAll()
{
	for (const Site &s : fn.sites) {
		for (const Saved &v : s.saved)
			if (!v.bytes)
				demote(v.value);
		if (!s.invoke->use_empty())
			demote(s.invoke);
	}
	for (const Jump &j : fn.jumps)
		demote(j.call);
}

/* Every jump buffer in use shall lead here: its node gets this frame's registers. The number a
 * longjmp brings is where the first setjmp's result was. */
BasicBlock *Resume::armJumps(const Site &s, BasicBlock *from)
{
	for (const Jump &j : fn.jumps) {
		APInt offset(64, 0);
		Value *base = j.call->getArgOperand(0);
		if (!j.reach.count(s.go))
			continue;
		/* From the frame's base, which was saved. */
		while (!slots.count(base)) {
			auto *g = cast<GetElementPtrInst>(base);
			g->accumulateConstantOffset(m.getDataLayout(), offset);
			base = g->getPointerOperand();
		}
		BasicBlock *arm = BasicBlock::Create(ctx, "arm", r);
		BasicBlock *next = BasicBlock::Create(ctx, "armed", r);
		IRBuilder<> b(from);
		b.SetCurrentDebugLocation(nowhere(*r));
		Value *node = b.CreateLoad(ptr, slots[base]);
		node = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), node, offset.getZExtValue());
		Value *armed = b.CreateAlignedLoad(b.getInt64Ty(), armedAddress(b, node), Align(8));
		b.CreateCondBr(b.CreateIsNotNull(armed), arm, next);
		b.SetInsertPoint(arm);
		CallInst *c =
			b.CreateCall(j.call->getFunctionType(), j.call->getCalledOperand(), {node});
		c->setAttributes(j.call->getAttributes());
		if (slots.count(j.call))
			b.CreateStore(c, slots[j.call]);
		b.CreateCondBr(b.CreateIsNull(c), next, cast<BasicBlock>(map[j.again]));
		from = next;
	}
	return from;
}

/* The call of the inner frame's clone; behind it the result is where the call's result was. */
BasicBlock *Resume::rebuildInner(const Site &s, BasicBlock *from)
{
	IRBuilder<> b(from);
	DebugLoc where = nowhere(*r);
	FunctionCallee innerOf =
		runtimeFunction(m, "__drover_inner", FunctionType::get(ptr, {ptr}, false));
	FunctionCallee cloneOf =
		runtimeFunction(m, "__drover_resume_fn", FunctionType::get(ptr, {ptr}, false));

	b.SetCurrentDebugLocation(where);
	CallInst *inner = b.CreateCall(innerOf, {r->getArg(0)});
	inner->setDoesNotThrow();
	CallInst *target = b.CreateCall(cloneOf, {inner});
	target->setDoesNotThrow();
	BasicBlock *after = BasicBlock::Create(ctx, "rebuilt", r);
	BasicBlock *pad = BasicBlock::Create(ctx, "save", r);
	Type *result = s.invoke->getFunctionType()->getReturnType();
	FunctionType *t = FunctionType::get(result, {ptr}, false);
	InvokeInst *call = b.CreateInvoke(t, target, after, pad, {inner});
	call->setCallingConv(CallingConv::C);
	call->addFnAttr(Attribute::NoMerge);
	/* A debugger shall see a rebuilt frame where the program called. */
	if (auto *was = dyn_cast_or_null<Instruction>(static_cast<Value *>(map[s.invoke])))
		if (was->getDebugLoc())
			call->setDebugLoc(was->getDebugLoc());
	call->setAttributes(call->getAttributes().addRetAttributes(
		ctx, AttrBuilder(ctx, s.invoke->getAttributes().getRetAttrs())));
	b.SetInsertPoint(after);
	if (!result->isVoidTy() && slots.count(s.invoke))
		b.CreateStore(call, slots[s.invoke]);
	b.SetInsertPoint(pad);
	StructType *lt = StructType::get(ptr, Type::getInt32Ty(ctx));
	LandingPadInst *lp = b.CreateLandingPad(lt, 0);
	lp->setCleanup(true);
	Instruction *resume = b.CreateResume(lp);
	emitSave(fn, s, resume, [&](Value *v) -> Value * {
		if (isa<AllocaInst>(v))
			return map[v];
		IRBuilder<> at(resume);
		return slots.count(v) ? at.CreateLoad(v->getType(), slots[v])
				      : static_cast<Value *>(PoisonValue::get(v->getType()));
	});
	return after;
}

BasicBlock *Resume::restore(const Site &s)
{
	const DataLayout &dl = m.getDataLayout();
	BasicBlock *block = BasicBlock::Create(ctx, "restore", r);
	IRBuilder<> b(block);

	b.SetCurrentDebugLocation(nowhere(*r));
	for (const Saved &v : s.saved) {
		Value *from = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), r->getArg(0),
							   offsetPayload + v.offset);
		if (v.bytes) {
			AllocaInst *a = cast<AllocaInst>(map[v.value]);
			Value *to = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), a, v.from);
			b.CreateMemCpy(to, commonAlignment(a->getAlign(), v.from), from, Align(8),
				       v.size);
			continue;
		}
		if (!slots.count(v.value))
			continue;
		Type *t = v.value->getType();
		Type *stored = t;
		if (t->isIntegerTy() && dl.getTypeSizeInBits(t) != v.size * 8)
			stored = b.getIntNTy(v.size * 8);
		Value *x = b.CreateAlignedLoad(stored, from, commonAlignment(Align(16), v.offset));
		b.CreateStore(stored == t ? x : b.CreateTrunc(x, t), slots[v.value]);
	}
	BasicBlock *last = armJumps(s, block);
	if (s.kind != 0)
		last = rebuildInner(s, last);
	BranchInst::Create(cast<BasicBlock>(map[s.go]), last);
	return block;
}

void Resume::dispatch()
{
	BasicBlock *bad = BasicBlock::Create(ctx, "none", r);
	IRBuilder<> b(bad);

	b.SetCurrentDebugLocation(nowhere(*r));
	b.CreateIntrinsic(Intrinsic::trap, {}, {});
	b.CreateUnreachable();
	entry->getTerminator()->eraseFromParent();
	b.SetInsertPoint(entry);
	b.SetCurrentDebugLocation(nowhere(*r));
	Value *where = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), r->getArg(0), offsetSite);
	Value *site = b.CreateAlignedLoad(b.getInt32Ty(), where, Align(8), "site");
	SwitchInst *s = b.CreateSwitch(site, bad, static_cast<unsigned>(fn.sites.size()));
	for (const Site &one : fn.sites)
		s->addCase(b.getInt32(one.number), restore(one));
}

void Resume::attributes()
{
	r->setSection(".text.cold." + fn.identity);
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
}

void Resume::run()
{
	std::vector<AllocaInst *> promote;

	clone();
	demoteAll();
	dispatch();
	removeUnreachableBlocks(*r);
	DominatorTree dt(*r);
	for (auto &entryOfSlot : slots)
		if (isAllocaPromotable(entryOfSlot.second))
			promote.push_back(entryOfSlot.second);
	PromoteMemToReg(promote, dt);
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

} // namespace drover
