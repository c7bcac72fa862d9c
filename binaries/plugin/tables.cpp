/* What the runtime and the link step read: the function table and .state_transform. */
#include "plugin.h"
#include "llvm/IR/Constants.h"
#include "llvm/Support/Format.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace drover
{

/* Rows are struct drover_site of migrator/include/abi.h. */
void makeSiteTable(Instrumented &fn)
{
	Module &m = *fn.f->getParent();
	LLVMContext &ctx = m.getContext();
	Type *i32 = Type::getInt32Ty(ctx), *i64 = Type::getInt64Ty(ctx);
	StructType *t = StructType::get(i64, i64, i32, i32, i32, i32);
	std::vector<Constant *> rows;

	for (const Site &s : fn.sites)
		rows.push_back(ConstantStruct::get(
			t, ConstantInt::get(i64, fn.id),
			ConstantInt::get(i64, s.callee.empty() ? 0 : hash64(s.callee)),
			ConstantInt::get(i32, s.number), ConstantInt::get(i32, s.size),
			ConstantInt::get(i32, s.kind),
			ConstantInt::get(i32, returnClass(s.invoke->getType()))));
	ArrayType *at = ArrayType::get(t, rows.size());
	fn.table = new GlobalVariable(m, at, true, GlobalValue::InternalLinkage,
				      ConstantArray::get(at, rows),
				      "__drover_sites." + fn.f->getName());
	fn.table->setSection(".rodata.d.__drover_sites." + fn.identity);
	fn.table->setAlignment(Align(8));
}

static GlobalVariable *functionRow(Module &m, const Instrumented &fn)
{
	LLVMContext &ctx = m.getContext();
	Type *i32 = Type::getInt32Ty(ctx), *i64 = Type::getInt64Ty(ctx);
	Type *ptr = PointerType::get(ctx, 0);
	StructType *t = StructType::get(i64, ptr, ptr, ptr, i32, i32);
	Constant *row =
		ConstantStruct::get(t, ConstantInt::get(i64, fn.id), fn.f, fn.resume, fn.table,
				    ConstantInt::get(i32, fn.sites.size()),
				    ConstantInt::get(i32, returnClass(fn.f->getReturnType())));
	auto *g = new GlobalVariable(m, t, true, GlobalValue::InternalLinkage, row,
				     "__drover_fn." + fn.identity);

	g->setSection("drover_fns");
	g->setAlignment(Align(8));
	return g;
}

static void describe(raw_ostream &os, const Instrumented &fn)
{
	static const char *const kinds[] = {"poll", "call", "icall"};

	os << "F " << format_hex_no_prefix(fn.id, 16) << ' ' << fn.identity << ' ' << fn.line << ' '
	   << returnClass(fn.f->getReturnType()) << '\n';
	for (const CommonSlot &c : fn.frame.common)
		os << "A " << c.offset << ' ' << c.size << '\n';
	for (const Site &s : fn.sites) {
		os << "S " << s.number << ' ' << kinds[s.kind] << ' '
		   << (s.callee.empty() ? "-" : s.callee) << ' ' << s.line << ' ' << s.size << '\n';
		for (const Saved &v : s.saved)
			os << "L " << v.offset << ' ' << v.size << ' ' << v.type << ' ' << v.name
			   << '\n';
	}
}

static std::string visible(StringRef s)
{
	std::string out;

	for (char c : s)
		out += c > ' ' && c < 127 ? c : '_';
	return out.empty() ? "-" : out;
}

/* Module-level assembly: the one way to a section that takes no room in memory. */
static void appendText(Module &m, StringRef text)
{
	std::string s;
	raw_string_ostream os(s);
	SmallVector<StringRef> lines;

	os << "\t.section .state_transform,\"\",%progbits\n";
	text.split(lines, '\n', -1, false);
	for (StringRef line : lines) {
		os << "\t.ascii \"";
		os.write_escaped(line, true);
		os << "\\n\"\n";
	}
	os << "\t.text\n";
	m.appendModuleInlineAsm(s);
}

/* Functions of the module that never migrate, for who wants to know. */
static void describeBlocked(raw_ostream &os, const std::vector<Instrumented> &fns,
			    const Migrating &mig)
{
	for (const std::string &line : mig.blocked())
		os << "N " << line << '\n';
	for (const Instrumented &fn : fns)
		if (!fn.blocked.empty())
			os << "N " << fn.identity << ' ' << fn.line << " waits "
			   << visible(fn.blocked) << '\n';
}

void emitTables(Module &m, const std::vector<Instrumented> &fns, const Migrating &mig)
{
	std::vector<GlobalValue *> rows;
	std::string text;
	raw_string_ostream os(text);

	os << "V 1\nM " << visible(moduleId()) << ' ' << visible(m.getSourceFileName()) << '\n';
	describeBlocked(os, fns, mig);
	for (const Instrumented &fn : fns) {
		if (!fn.resume)
			continue;
		rows.push_back(functionRow(m, fn));
		describe(os, fn);
	}
	if (!rows.empty())
		appendToCompilerUsed(m, rows);
	appendText(m, text);
}

} // namespace drover
