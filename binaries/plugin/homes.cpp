/* The block of memory in which a resume clone keeps what its function's sites save. */
#include "homes.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace drover
{

Homes::Homes(const Instrumented &fn, ValueToValueMapTy &map)
    : fn(fn), m(*fn.f->getParent()), map(map)
{
	layOut();
}

/* Aggregates as a whole, whatever part of them is saved. */
void Homes::layOut()
{
	for (const Site &s : fn.sites)
		for (const Saved &v : s.saved) {
			uint64_t bytes = v.size;
			Align a(std::min<uint64_t>(16, PowerOf2Ceil(v.size)));
			if (offsets.count(v.value))
				continue;
			if (v.bytes) {
				auto *local = cast<AllocaInst>(v.value);
				bytes = local->getAllocationSize(m.getDataLayout())
						->getFixedValue();
				a = local->getAlign();
				blockAlign = std::max(blockAlign, a);
			}
			size = alignTo(size, a);
			offsets[v.value] = size;
			size += bytes;
		}
	size = alignTo(size, 8);
}

Constant *Homes::makeTable()
{
	std::vector<uint32_t> words = {static_cast<uint32_t>(size),
				       static_cast<uint32_t>(fn.sites.size())};
	std::vector<uint32_t> rows;

	for (const Site &s : fn.sites) {
		words.push_back(static_cast<uint32_t>(rows.size() / 3));
		for (const Saved &v : s.saved)
			rows.insert(rows.end(), {static_cast<uint32_t>(offsets[v.value] + v.from),
						 v.offset, v.size});
	}
	words.push_back(static_cast<uint32_t>(rows.size() / 3));
	words.insert(words.end(), rows.begin(), rows.end());
	Constant *c = ConstantDataArray::get(m.getContext(), words);
	auto *g = new GlobalVariable(m, c->getType(), true, GlobalValue::InternalLinkage, c,
				     "__drover_homes." + fn.f->getName());
	/* Private to the ISA: the layout of aggregates may be its own. */
	g->setSection(".rodata.homes." + fn.identity);
	return g;
}

void Homes::place(BasicBlock::iterator at)
{
	Type *t = ArrayType::get(Type::getInt8Ty(m.getContext()), size);

	block = new AllocaInst(t, 0, nullptr, blockAlign, "homes", at);
	table = makeTable();
}

Value *Homes::of(IRBuilder<> &b, Value *original)
{
	auto it = offsets.find(original);

	if (it == offsets.end())
		return slots[original];
	return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), block, it->second, "home");
}

Align Homes::align(Value *original) const
{
	auto it = offsets.find(original);

	return it == offsets.end() ? m.getDataLayout().getABITypeAlign(original->getType())
				   : commonAlignment(Align(16), it->second);
}

/* What an integer is in records and in the block: whole bytes. */
IntegerType *Homes::wide(Type *t) const
{
	uint64_t bits = m.getDataLayout().getTypeSizeInBits(t);

	return IntegerType::get(t->getContext(),
				static_cast<unsigned>(PowerOf2Ceil(std::max<uint64_t>(8, bits))));
}

void Homes::store(IRBuilder<> &b, Value *x, Value *original)
{
	if (offsets.count(original) && x->getType()->isIntegerTy())
		x = b.CreateZExt(x, wide(x->getType()));
	b.CreateAlignedStore(x, of(b, original), align(original));
}

/* What was loaded from and stored to a slot of its own. */
void Homes::moveIn(Value *original, AllocaInst *own)
{
	Type *t = original->getType();

	slots[original] = block;
	for (User *u : make_early_inc_range(own->users())) {
		auto *i = cast<Instruction>(u);
		IRBuilder<> b(i);
		if (auto *l = dyn_cast<LoadInst>(i)) {
			Value *x = b.CreateAlignedLoad(t->isIntegerTy() ? wide(t) : t,
						       of(b, original), align(original));
			l->replaceAllUsesWith(t->isIntegerTy() ? b.CreateTrunc(x, t) : x);
		} else {
			store(b, cast<StoreInst>(i)->getValueOperand(), original);
		}
		i->eraseFromParent();
	}
	own->eraseFromParent();
}

void Homes::demote(Value *original)
{
	if (slots.count(original))
		return;
	auto *i = dyn_cast_or_null<Instruction>(static_cast<Value *>(map[original]));
	if (!i || i->use_empty())
		return;
	AllocaInst *own = DemoteRegToStack(*i, false, block->getIterator());
	if (!own)
		return;
	slots[original] = own;
	if (offsets.count(original))
		moveIn(original, own);
}

void Homes::moveIn()
{
	for (auto &[v, at] : offsets) {
		if (!isa<AllocaInst>(v)) {
			demote(v);
			continue;
		}
		auto *copy = cast<AllocaInst>(map[v]);
		IRBuilder<> b(copy);
		copy->replaceAllUsesWith(of(b, v));
		copy->eraseFromParent();
	}
}

} // namespace drover
