/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Histograms of times: two buckets for each power of two, so a bound is at most half
 * as much again as the one below it. Bucket 0 is below 2 us; the last takes all from
 * 2^27 us on, two minutes.
 *
 * The includer provides __u32 and __u64.
 */
#ifndef ACCEPTWATCH_HISTOGRAM_H
#define ACCEPTWATCH_HISTOGRAM_H

#define AW_NR_BUCKETS 54

/* floor(log2(value)), of 1 to 2^32 - 1. */
static inline __u32 aw_log2(__u64 value)
{
	__u32 log = 0;

	if (value >> 16) {
		value >>= 16;
		log += 16;
	}
	if (value >> 8) {
		value >>= 8;
		log += 8;
	}
	if (value >> 4) {
		value >>= 4;
		log += 4;
	}
	if (value >> 2) {
		value >>= 2;
		log += 2;
	}
	return value >> 1 ? log + 1 : log;
}

static inline __u32 aw_bucket_of(__u64 us)
{
	__u32 log, bucket;

	if (us < 2)
		return 0;
	if (us >> 27)
		return AW_NR_BUCKETS - 1;
	log = aw_log2(us);
	bucket = 2 * log - 1;
	if ((us >> (log - 1)) & 1)
		bucket += 1;
	return bucket < AW_NR_BUCKETS ? bucket : AW_NR_BUCKETS - 1;
}

/* The least time in the bucket, in microseconds. */
static inline __u64 aw_bucket_begin(__u32 bucket)
{
	const __u32 log = (bucket + 1) / 2;

	if (!bucket)
		return 0;
	return (bucket + 1) % 2 ? (1ull << log) + (1ull << (log - 1)) : 1ull << log;
}

#endif /* ACCEPTWATCH_HISTOGRAM_H */
