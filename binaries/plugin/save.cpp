/* The landing pad's work: ask the runtime for room and store what is live. */
#include "plugin.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace drover
{

static FunctionCallee frameFunction(Module &m)
{
	LLVMContext &ctx = m.getContext();
	FunctionCallee c =
		runtimeFunction(m, "__drover_frame",
				FunctionType::get(PointerType::get(ctx, 0),
						  {Type::getInt64Ty(ctx), Type::getInt32Ty(ctx),
						   Type::getInt32Ty(ctx)},
						  false));

	if (auto *f = dyn_cast<Function>(c.getCallee())) {
		f->addFnAttr(Attribute::NoUnwind);
		f->addFnAttr(Attribute::Cold);
	}
	return c;
}

void emitSave(const Instrumented &fn, const Site &s, Instruction *before, const ValueOf &get)
{
	Function &f = *before->getFunction();
	const DataLayout &dl = f.getParent()->getDataLayout();
	IRBuilder<> b(before);

	b.SetCurrentDebugLocation(nowhere(f));
	CallInst *room =
		b.CreateCall(frameFunction(*f.getParent()),
			     {b.getInt64(fn.id), b.getInt32(s.number), b.getInt32(s.size)});
	room->addFnAttr(Attribute::NoMerge);
	room->addFnAttr(Attribute::NoUnwind);
	for (const Saved &v : s.saved) {
		Value *to = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), room, v.offset);
		if (v.bytes) {
			AllocaInst *a = cast<AllocaInst>(get(v.value));
			Value *from = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), a, v.from);
			b.CreateMemCpy(to, Align(8), from, commonAlignment(a->getAlign(), v.from),
				       v.size);
			continue;
		}
		Value *x = get(v.value);
		if (x->getType()->isIntegerTy() && dl.getTypeSizeInBits(x->getType()) != v.size * 8)
			x = b.CreateZExt(x, b.getIntNTy(v.size * 8));
		b.CreateAlignedStore(x, to, commonAlignment(Align(16), v.offset));
	}
}

} // namespace drover
