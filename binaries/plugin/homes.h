/* Where a resume clone keeps its values; used by resume.cpp. */
#ifndef DROVER_HOMES_H
#define DROVER_HOMES_H

#include "plugin.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Transforms/Utils/ValueMapper.h"

namespace drover
{

/*
 * What any site of a function saves has its place in one block of memory of the clone's frame. A
 * value with two definitions that no site saves (a result that is rebuilt and used at once) has a
 * slot of its own. Values are named by those of the function; `map` leads to the clone's.
 */
class Homes
{
      public:
	Homes(const Instrumented &fn, llvm::ValueToValueMapTy &map);
	/* Makes the block and its table, at a place in the clone's entry. */
	void place(llvm::BasicBlock::iterator at);
	/* Moves everything that sites save into the block. */
	void moveIn();
	/* From registers to memory. */
	void demote(llvm::Value *original);
	bool have(llvm::Value *original) const
	{
		return slots.count(original);
	}
	/* The address of a value, made anew for each use, so that the code generator need not keep
	 * it. */
	llvm::Value *of(llvm::IRBuilder<> &b, llvm::Value *original);
	void store(llvm::IRBuilder<> &b, llvm::Value *x, llvm::Value *original);
	/* In the block, of what a site saves. */
	int64_t offset(llvm::Value *original) const
	{
		return static_cast<int64_t>(offsets.find(original)->second);
	}

	llvm::AllocaInst *block = nullptr;
	llvm::Constant *table = nullptr; /* struct drover_homes of migrator/include/abi.h */

      private:
	void layOut();
	llvm::Constant *makeTable();
	void moveIn(llvm::Value *original, llvm::AllocaInst *own);
	llvm::Align align(llvm::Value *original) const;
	llvm::IntegerType *wide(llvm::Type *t) const;

	const Instrumented &fn;
	llvm::Module &m;
	llvm::ValueToValueMapTy &map;
	llvm::MapVector<llvm::Value *, uint64_t> offsets;
	llvm::DenseMap<llvm::Value *, llvm::AllocaInst *> slots;
	uint64_t size = 0;
	llvm::Align blockAlign = llvm::Align(16);
};

} // namespace drover

#endif
