/* Liveness of native aggregates, byte by byte; used by live.cpp. */
#ifndef DROVER_LIVE_H
#define DROVER_LIVE_H

#include "plugin.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace drover
{

struct ByteRun {
	llvm::AllocaInst *alloca;
	uint64_t from, size;
};

class Bytes
{
      public:
	/* `jumps`: control may come behind each from any block behind it. */
	Bytes(llvm::Function &f, const Frame &frame, const std::vector<Site> &sites,
	      const std::vector<Jump> &jumps);
	/* Bytes on entry to `b` that may be read later and may have been written. */
	std::vector<ByteRun> at(llvm::BasicBlock *b) const;

      private:
	/* What one instruction does to a range of bytes. */
	struct Access {
		unsigned first = 0, count = 0;
		bool reads = false, writes = false;
		bool exact = false; /* a write certainly covers the range */
		bool dead = false;  /* lifetime marker: contents are gone */
	};
	struct Sets {
		llvm::BitVector gen, kill, live;      /* backward */
		llvm::BitVector wgen, wkill, written; /* forward, on entry */
	};
	void local(llvm::BasicBlock &b);
	void flowBack(llvm::Function &f);
	void flowForward(llvm::Function &f);
	void jumpBack(const llvm::BasicBlock *b, llvm::BitVector &live) const;
	void jumpForward(llvm::BasicBlock *b, llvm::BitVector &in) const;
	void accesses(llvm::Instruction &i, std::vector<Access> &out) const;
	bool range(llvm::Value *p, uint64_t size, Access &a) const;

	const llvm::DataLayout &dl;
	const Frame &frame;
	const std::vector<Jump> &jumps;
	llvm::SmallPtrSet<const llvm::BasicBlock *, 16> behind; /* sites */
	unsigned total = 0;
	llvm::BitVector used; /* not padding */
	llvm::DenseMap<const llvm::AllocaInst *, unsigned> start;
	llvm::DenseMap<const llvm::BasicBlock *, Sets> sets;
};

std::string sourceName(llvm::Value *v);

} // namespace drover

#endif
