/* Names that are the same on both ISAs: of constants by their content, of sections by the
 * symbol. The aligned link pairs sections by these names. */
#include "plugin.h"
#include "llvm/IR/Constants.h"
#include "llvm/Support/Format.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace drover
{

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t hash64(StringRef bytes)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (char c : bytes) {
		h ^= static_cast<unsigned char>(c);
		h *= 0x100000001b3u;
	}
	return h;
}

std::string identity(const GlobalValue &g)
{
	std::string name = g.getName().str();

	return g.hasLocalLinkage() ? name + "." + moduleId() : name;
}

/* Registers or stack words a type takes. */
static uint64_t words(Type *t, const DataLayout &dl)
{
	return t->isVoidTy() || t->isLabelTy() ? 0 : (dl.getTypeAllocSize(t) + 7) / 8;
}

/* Both ISAs split aggregates into registers in their own way; the words they take in all are the
 * same. A wide homogeneous aggregate is returned in memory on one ISA, in registers on the other.
 */
static std::string shapeOf(const FunctionType *t, const AttributeList &attrs, const DataLayout &dl,
			   bool area)
{
	uint64_t out = words(t->getReturnType(), dl), in = 0;

	/* The area of variable arguments is not part of it. */
	for (unsigned i = 0; i + area < t->getNumParams(); i++) {
		Type *byval = attrs.getParamByValType(i), *sret = attrs.getParamStructRetType(i);
		if (sret && isWideHomogeneous(sret, dl))
			out = words(sret, dl);
		else if (byval &&
			 (dl.getTypeAllocSize(byval) <= 16 || isWideHomogeneous(byval, dl)))
			in += words(byval, dl);
		else
			in += words(t->getParamType(i), dl);
	}
	return std::to_string(out) + "(" + std::to_string(in) + ")";
}

std::string shapeOf(const Function &f)
{
	return shapeOf(f.getFunctionType(), f.getAttributes(), f.getParent()->getDataLayout(),
		       hasArea(f));
}

std::string shapeOf(const CallBase &c)
{
	return shapeOf(c.getFunctionType(), c.getAttributes(), c.getModule()->getDataLayout(),
		       hasArea(c));
}

/* The bytes of a constant as memory has them; false if it holds an address. */
static bool bytesOf(const Constant *c, const DataLayout &dl, std::string &out, size_t at)
{
	size_t size = dl.getTypeStoreSize(c->getType());

	if (isa<ConstantAggregateZero>(c) || isa<UndefValue>(c))
		return true;
	if (auto *s = dyn_cast<ConstantDataSequential>(c)) {
		StringRef raw = s->getRawDataValues();
		std::copy(raw.begin(), raw.end(), out.begin() + static_cast<ptrdiff_t>(at));
		return true;
	}
	if (isa<ConstantPointerNull>(c))
		return true;
	if (isa<ConstantInt>(c) || isa<ConstantFP>(c)) {
		APInt v = isa<ConstantInt>(c) ? cast<ConstantInt>(c)->getValue()
					      : cast<ConstantFP>(c)->getValueAPF().bitcastToAPInt();
		for (size_t i = 0; i < size && i * 8 < v.getBitWidth(); i++)
			out[at + i] = static_cast<char>(
				v.lshr(static_cast<unsigned>(i * 8)).getRawData()[0] & 0xff);
		return true;
	}
	if (auto *a = dyn_cast<ConstantArray>(c)) {
		uint64_t step = dl.getTypeAllocSize(a->getType()->getElementType());
		for (unsigned i = 0; i < a->getNumOperands(); i++)
			if (!bytesOf(a->getOperand(i), dl, out, at + i * step))
				return false;
		return true;
	}
	if (auto *st = dyn_cast<ConstantStruct>(c)) {
		const StructLayout *sl = dl.getStructLayout(st->getType());
		for (unsigned i = 0; i < st->getNumOperands(); i++)
			if (!bytesOf(st->getOperand(i), dl, out, at + sl->getElementOffset(i)))
				return false;
		return true;
	}
	return false;
}

/* A constant whose address nobody may compare is known by what it holds. */
static bool byContent(GlobalVariable &g, std::string &bytes)
{
	const DataLayout &dl = g.getParent()->getDataLayout();

	if (!g.isConstant() || !g.hasInitializer() || !g.hasLocalLinkage() || g.hasSection() ||
	    !g.hasGlobalUnnamedAddr() || g.isThreadLocal() || g.getName().starts_with("llvm."))
		return false;
	bytes.assign(dl.getTypeAllocSize(g.getValueType()), '\0');
	return bytesOf(g.getInitializer(), dl, bytes, 0);
}

void nameConstants(Module &m)
{
	std::vector<GlobalVariable *> all;

	for (GlobalVariable &g : m.globals())
		all.push_back(&g);
	for (GlobalVariable *g : all) {
		std::string bytes, name;
		if (!byContent(*g, bytes))
			continue;
		uint64_t align = g->getAlign().valueOrOne().value();
		raw_string_ostream os(name);
		os << "__drover_str." << format_hex_no_prefix(hash64(bytes), 16)
		   << format_hex_no_prefix(bytes.size(), 1) << "." << align;
		os.flush();
		if (GlobalVariable *same = m.getNamedGlobal(name)) {
			g->replaceAllUsesWith(same);
			g->eraseFromParent();
			continue;
		}
		g->setName(name);
		g->setLinkage(GlobalValue::LinkOnceODRLinkage);
		g->setVisibility(GlobalValue::HiddenVisibility);
		Comdat *c = m.getOrInsertComdat(name);
		c->setSelectionKind(Comdat::Any);
		g->setComdat(c);
	}
}

/* Thread-local data is emulated; the code generator makes the control objects only if nobody else
 * has, and without sections that pair. */
void nameThreadLocals(Module &m)
{
	const DataLayout &dl = m.getDataLayout();
	Type *word = Type::getInt64Ty(m.getContext());
	PointerType *ptr = PointerType::get(m.getContext(), 0);
	StructType *t = StructType::get(word, word, ptr, ptr);
	std::vector<GlobalVariable *> all;

	for (GlobalVariable &g : m.globals())
		if (g.isThreadLocal() && !g.isDeclarationForLinker())
			all.push_back(&g);
	for (GlobalVariable *g : all) {
		Type *vt = g->getValueType();
		/* The ISAs align arrays differently; this is enough for either. */
		Align align = std::max(g->getAlign().valueOrOne(),
				       Align(dl.getTypeAllocSize(vt) < 16 ? 8 : 16));
		Constant *initial = ConstantPointerNull::get(ptr);
		if (!g->getInitializer()->isNullValue()) {
			auto *i = new GlobalVariable(m, vt, true, GlobalValue::InternalLinkage,
						     g->getInitializer(),
						     "__emutls_t." + g->getName());
			i->setAlignment(align);
			initial = i;
		}
		Constant *v =
			ConstantStruct::get(t, ConstantInt::get(word, dl.getTypeStoreSize(vt)),
					    ConstantInt::get(word, align.value()),
					    ConstantPointerNull::get(ptr), initial);
		auto *control = new GlobalVariable(m, t, false, g->getLinkage(), v,
						   "__emutls_v." + g->getName());
		control->setVisibility(g->getVisibility());
		control->setAlignment(Align(8));
	}
}

static const char *dataPrefix(const GlobalVariable &g)
{
	if (g.isConstant())
		return g.getInitializer()->needsRelocation() ? ".data.rel.ro.d." : ".rodata.d.";
	return g.getInitializer()->isNullValue() ? ".bss.d." : ".data.d.";
}

void nameSections(Module &m)
{
	for (Function &f : m)
		if (!f.isDeclarationForLinker() && !f.hasSection())
			f.setSection(".text.d." + identity(f));
	for (GlobalVariable &g : m.globals()) {
		if (g.isDeclarationForLinker() || g.hasSection() || g.isThreadLocal() ||
		    g.getName().starts_with("llvm."))
			continue;
		/* A mergeable section would be laid out by the linker as it likes. */
		g.setUnnamedAddr(GlobalValue::UnnamedAddr::None);
		if (g.hasPrivateLinkage())
			g.setLinkage(GlobalValue::InternalLinkage);
		g.setSection(dataPrefix(g) + identity(g));
	}
}

void keepData(Module &m)
{
	std::vector<GlobalValue *> keep;

	for (GlobalVariable &g : m.globals()) {
		if (g.isDeclarationForLinker() || g.isThreadLocal() ||
		    g.getName().starts_with("llvm."))
			continue;
		if (g.hasLocalLinkage() || g.hasLinkOnceLinkage())
			keep.push_back(&g);
	}
	if (!keep.empty())
		appendToCompilerUsed(m, keep);
}

} // namespace drover
