/* What landing pads lead to: ask the runtime for room, store what is live, and take the frame down.
 *
 * Much of what is live at one site is live at others too. The values of a site are ordered by how
 * many sites save them (live.cpp), so that the stores of two sites begin with the same ones at the
 * same offsets; emitted in reverse, those that are equal are one piece of code. The exception
 * itself is the runtime's, so a landing pad keeps nothing of it. */
#include "plugin.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace drover
{

BasicBlock *landingPad(Function &f)
{
	LLVMContext &ctx = f.getContext();
	BasicBlock *pad = BasicBlock::Create(ctx, "save", &f);
	IRBuilder<> b(pad);

	b.SetCurrentDebugLocation(nowhere(f));
	LandingPadInst *lp =
		b.CreateLandingPad(StructType::get(PointerType::get(ctx, 0), b.getInt32Ty()), 0);
	lp->setCleanup(true);
	b.CreateUnreachable();
	return pad;
}

void leadPad(BasicBlock *pad, BasicBlock *to, Value *site)
{
	Instruction *end = pad->getTerminator();
	IRBuilder<> b(pad);

	b.SetCurrentDebugLocation(end->getDebugLoc());
	end->eraseFromParent();
	b.CreateBr(to);
	cast<PHINode>(&to->front())->addIncoming(site, pad);
}

Constant *siteRow(const Instrumented &fn, uint32_t number)
{
	Type *i32 = Type::getInt32Ty(fn.f->getContext());

	return ConstantExpr::getInBoundsGetElementPtr(
		fn.table->getValueType(), fn.table,
		ArrayRef<Constant *>{ConstantInt::get(i32, 0), ConstantInt::get(i32, number)});
}

FunctionCallee coldFunction(Module &m, StringRef name, FunctionType *t)
{
	FunctionCallee c = runtimeFunction(m, name, t);

	if (auto *f = dyn_cast<Function>(c.getCallee()))
		f->addFnAttr(Attribute::Cold);
	return c;
}

namespace
{

/* One store, and behind it those of all values before `saved` in the order. */
struct Step {
	const Saved *saved = nullptr;
	Step *next = nullptr; /* null: there is nothing more to store */
	std::vector<Step *> before;
	std::vector<const Site *> sites; /* that begin here */
	unsigned ways = 0;               /* from these two */
	BasicBlock *block = nullptr;     /* if there are several */
};

class Saves
{
      public:
	explicit Saves(Instrumented &fn) : fn(fn), f(*fn.f), m(*f.getParent()), b(f.getContext())
	{
		b.SetCurrentDebugLocation(nowhere(f));
	}
	void run();

      private:
	Step *step(Step *next, const Saved &v);
	void begin(Step *s);
	int go(Step *s, Value *room);
	int store(const Saved &v, Value *room);

	Instrumented &fn;
	Function &f;
	Module &m;
	IRBuilder<> b;
	std::vector<std::unique_ptr<Step>> steps;
	BasicBlock *end = nullptr;
};

bool same(const Saved &a, const Saved &b)
{
	return a.value == b.value && a.bytes == b.bytes && a.from == b.from &&
	       a.offset == b.offset && a.size == b.size;
}

Step *Saves::step(Step *next, const Saved &v)
{
	for (Step *s : next->before)
		if (same(*s->saved, v))
			return s;
	steps.push_back(std::make_unique<Step>());
	Step *s = steps.back().get();
	s->saved = &v;
	s->next = next;
	next->before.push_back(s);
	next->ways++;
	return s;
}

/* What the inliner counts for it: 5 an instruction, 45 the copy of an aggregate. */
int Saves::store(const Saved &v, Value *room)
{
	Value *to = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), room, v.offset), *x = v.value;

	if (v.bytes) {
		auto *a = cast<AllocaInst>(x);
		Value *from = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), a, v.from);
		b.CreateMemCpy(to, Align(8), from, commonAlignment(a->getAlign(), v.from), v.size);
		return 45;
	}
	if (x->getType()->isIntegerTy() &&
	    m.getDataLayout().getTypeSizeInBits(x->getType()) != v.size * 8)
		x = b.CreateZExt(x, b.getIntNTy(v.size * 8));
	/* Volatile, or the vectoriser of straight-line code takes minutes over them. */
	b.CreateAlignedStore(x, to, commonAlignment(Align(16), v.offset), true);
	return 5;
}

/* From where `b` is to the end; the cost of what is new. */
int Saves::go(Step *s, Value *room)
{
	int cost = 0;

	for (; s->next; s = s->next) {
		if (s->ways > 1) {
			BasicBlock *from = b.GetInsertBlock();
			bool made = s->block;
			if (!made) {
				s->block = BasicBlock::Create(f.getContext(), "store", &f);
				PHINode::Create(b.getPtrTy(), s->ways, "room", s->block);
			}
			auto *phi = cast<PHINode>(&s->block->front());
			phi->addIncoming(room, from);
			b.CreateBr(s->block);
			if (made)
				return cost;
			b.SetInsertPoint(s->block);
			room = phi;
		}
		cost += store(*s->saved, room);
	}
	b.CreateBr(end);
	return cost;
}

/* The landing pads of sites that save the same. The inliner shall count nothing for them. */
void Saves::begin(Step *s)
{
	const int padCost = 5;
	BasicBlock *block = BasicBlock::Create(f.getContext(), "frame", &f);

	b.SetInsertPoint(block);
	PHINode *row = b.CreatePHI(b.getPtrTy(), static_cast<unsigned>(s->sites.size()), "site");
	for (const Site *site : s->sites)
		leadPad(site->pad, block, siteRow(fn, site->number));
	CallInst *room =
		b.CreateCall(coldFunction(m, "__drover_frame",
					  FunctionType::get(b.getPtrTy(), {b.getPtrTy()}, false)),
			     {row});
	room->addFnAttr(Attribute::NoUnwind);
	setInlineCost(*room, -go(s, room) - padCost * static_cast<int>(s->sites.size()));
}

void Saves::run()
{
	Step none = {};

	for (const Site &site : fn.sites) {
		Step *s = &none;
		for (const Saved &v : site.saved)
			s = step(s, v);
		s->ways += s->sites.empty();
		s->sites.push_back(&site);
	}
	end = BasicBlock::Create(f.getContext(), "unwind", &f);
	b.SetInsertPoint(end);
	CallInst *on = b.CreateCall(
		coldFunction(m, "__drover_unwind", FunctionType::get(b.getVoidTy(), false)));
	on->setDoesNotReturn();
	setInlineCost(*on, 0);
	b.CreateUnreachable();
	if (!none.sites.empty())
		begin(&none);
	for (const auto &s : steps)
		if (!s->sites.empty())
			begin(s.get());
}

} // namespace

void emitSaves(Instrumented &fn)
{
	Saves(fn).run();
}

} // namespace drover
