/* The layouts of a module's structures and unions, written at `-c` so that the driver can compare
 * what the two compilers made of them. Sizes of symbols alone would not do: memory on the heap has
 * none, and two layouts of one size may differ inside.
 *
 * What is written is what state that moves can have the type of: static data, the locals and
 * parameters of functions that may migrate, types that are only cast to (the heap), and all these
 * point to or contain. A type that only functions which never migrate know may differ.
 *
 * One line a fact, tab-separated: place, what, value; sorted. */
#include "plugin.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include <set>

using namespace llvm;

static cl::opt<std::string> optTypes("drover-types", cl::desc("Type layouts to write"));
static cl::opt<bool> optLinesOnly("drover-lines-only",
				  cl::desc("Keep line numbers alone of the debug information"));

namespace drover
{

namespace
{

class Layouts
{
      public:
	void reach(const DIType *t, const std::string &within = "");
	void write(raw_ostream &os) const;

      private:
	void composite(const DICompositeType *t, const std::string &within);
	void member(const DIDerivedType *m, const std::string &name, const std::string &where);

	DenseSet<const DIType *> seen;
	std::set<std::string> facts;
};

/* The C library's headers lie in a folder for each ISA. */
std::string place(const DIType *t)
{
	const DIFile *f = t->getFile();
	StringRef name = f ? f->getFilename() : "?";
	size_t root = name.find("/sysroot/"), include = name.find("/include/");
	if (root != StringRef::npos && include != StringRef::npos && include > root)
		name = name.substr(include + strlen("/include/"));
	return name.str() + ":" + std::to_string(t->getLine());
}

std::string bytesOrBits(uint64_t bits)
{
	return bits % 8 ? std::to_string(bits) + " bits" : std::to_string(bits / 8) + " bytes";
}

void Layouts::member(const DIDerivedType *m, const std::string &name, const std::string &where)
{
	uint64_t at = m->getOffsetInBits();
	std::string value =
		bytesOrBits(m->getSizeInBits()) +
		(at % 8 ? " at bit " + std::to_string(at) : " at byte " + std::to_string(at / 8));
	facts.insert(where + "\t" + name + "." + m->getName().str() + "\t" + value);
	reach(m->getBaseType(), name + "." + m->getName().str());
}

void Layouts::composite(const DICompositeType *t, const std::string &within)
{
	if (t->getTag() != dwarf::DW_TAG_structure_type &&
	    t->getTag() != dwarf::DW_TAG_union_type) {
		reach(t->getBaseType(), within);
		return;
	}
	if (t->isForwardDecl())
		return;
	std::string name = t->getTag() == dwarf::DW_TAG_union_type ? "union " : "struct ";
	if (!t->getName().empty())
		name += t->getName().str();
	else
		name += within.empty() ? "without a name" : "of " + within;
	std::string where = place(t);
	size_t members = 0;
	for (const DINode *e : t->getElements()) {
		if (auto *m = dyn_cast<DIDerivedType>(e)) {
			member(m, name, where);
			members++;
		}
	}
	facts.insert(where + "\t" + name + "\t" + std::to_string(t->getSizeInBits() / 8) +
		     " bytes with " + std::to_string(members) + " members");
}

void Layouts::reach(const DIType *t, const std::string &within)
{
	if (!t || !seen.insert(t).second)
		return;
	if (auto *c = dyn_cast<DICompositeType>(t))
		composite(c, within);
	else if (auto *d = dyn_cast<DIDerivedType>(t))
		reach(d->getBaseType(),
		      d->getTag() == dwarf::DW_TAG_typedef ? d->getName().str() : within);
	else if (auto *s = dyn_cast<DISubroutineType>(t))
		for (const DIType *a : s->getTypeArray())
			reach(a);
}

void Layouts::write(raw_ostream &os) const
{
	for (const std::string &f : facts)
		os << f << '\n';
}

void reachModule(Layouts &l, const Module &m)
{
	for (const GlobalVariable &g : m.globals()) {
		SmallVector<DIGlobalVariableExpression *, 1> of;
		g.getDebugInfo(of);
		for (const DIGlobalVariableExpression *e : of)
			l.reach(e->getVariable()->getType(), e->getVariable()->getName().str());
	}
	for (const DICompileUnit *u : m.debug_compile_units())
		for (const DIScope *s : u->getRetainedTypes())
			if (auto *t = dyn_cast<DIType>(s))
				l.reach(t);
	for (const Function &f : m) {
		const DISubprogram *s = f.getSubprogram();
		if (f.isDeclaration() || !s || !refusal(f).reason.empty())
			continue;
		l.reach(s->getType());
		for (const Instruction &i : instructions(f)) {
			if (auto *d = dyn_cast<DbgVariableIntrinsic>(&i))
				l.reach(d->getVariable()->getType(),
					d->getVariable()->getName().str());
			for (const DbgRecord &r : i.getDbgRecordRange())
				if (auto *v = dyn_cast<DbgVariableRecord>(&r))
					l.reach(v->getVariable()->getType(),
						v->getVariable()->getName().str());
		}
	}
}

} // namespace

void writeTypes(Module &m)
{
	std::error_code ec;

	if (!optTypes.empty()) {
		raw_fd_ostream os(optTypes, ec, sys::fs::OF_None);
		Layouts l;
		if (ec) {
			fail(m, "cannot write type layouts '" + optTypes + "': " + ec.message());
			return;
		}
		reachModule(l, m);
		l.write(os);
		os.close();
		if (os.has_error()) {
			fail(m, "cannot write type layouts '" + optTypes +
					"': " + os.error().message());
			os.clear_error();
		}
	}
	if (optLinesOnly)
		stripNonLineTableDebugInfo(m);
}

} // namespace drover
