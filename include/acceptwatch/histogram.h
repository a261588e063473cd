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

/* The bucket of each number below 256: it is found by the eight highest bits. */
#define AW_BUCKETS_2(b) b, b
#define AW_BUCKETS_4(b) AW_BUCKETS_2(b), AW_BUCKETS_2(b)
#define AW_BUCKETS_8(b) AW_BUCKETS_4(b), AW_BUCKETS_4(b)
#define AW_BUCKETS_16(b) AW_BUCKETS_8(b), AW_BUCKETS_8(b)
#define AW_BUCKETS_32(b) AW_BUCKETS_16(b), AW_BUCKETS_16(b)
#define AW_BUCKETS_64(b) AW_BUCKETS_32(b), AW_BUCKETS_32(b)
static const __u8 aw_buckets_of_bytes[256] = {
	0,
	0,
	1,
	2,
	AW_BUCKETS_2(3),
	AW_BUCKETS_2(4),
	AW_BUCKETS_4(5),
	AW_BUCKETS_4(6),
	AW_BUCKETS_8(7),
	AW_BUCKETS_8(8),
	AW_BUCKETS_16(9),
	AW_BUCKETS_16(10),
	AW_BUCKETS_32(11),
	AW_BUCKETS_32(12),
	AW_BUCKETS_64(13),
	AW_BUCKETS_64(14),
};

/* Two buckets for each bit that was shifted out. */
static inline __u32 aw_bucket_of(__u64 us)
{
	if (us < 1u << 8)
		return aw_buckets_of_bytes[us & 0xff];
	if (us < 1u << 14)
		return aw_buckets_of_bytes[(us >> 6) & 0xff] + 12;
	if (us < 1u << 20)
		return aw_buckets_of_bytes[(us >> 12) & 0xff] + 24;
	if (us < 1u << 26)
		return aw_buckets_of_bytes[(us >> 18) & 0xff] + 36;
	if (us < 1u << 27)
		return aw_buckets_of_bytes[(us >> 19) & 0xff] + 38;
	return AW_NR_BUCKETS - 1;
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
