// Reads a pinned map to its end, as often as it is told, and does nothing else: the measure of every other way to read it.
//
//   read-map batch|element PIN [TIMES]
//
// A line for each time: entries, wall seconds, CPU seconds.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// As many as one call may read. From 256 to 65,536 the throughput is the same; fewer than a bucket holds would not do.
enum { BATCH = 4096 };

static int fd;
static struct bpf_map_info info;
static __u32 value_stride;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "read-map: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *room(size_t size)
{
	void *memory = malloc(size);
	if (!memory)
		fail("malloc");
	return memory;
}

static unsigned long read_by_batch(void)
{
	void *keys = room((size_t)BATCH * info.key_size), *values = room((size_t)BATCH * value_stride);
	void *cursor = room(info.key_size < 4 ? 4 : info.key_size);
	unsigned long entries = 0;
	int error = 0;
	for (void *from = NULL; !error; from = cursor) {
		__u32 count = BATCH;
		error = bpf_map_lookup_batch(fd, from, cursor, keys, values, &count, NULL);
		if (error && errno != ENOENT)
			fail("bpf_map_lookup_batch");
		entries += count;
	}
	free(keys);
	free(values);
	free(cursor);
	return entries;
}

static unsigned long read_by_element(void)
{
	void *key = room(info.key_size), *next = room(info.key_size), *value = room(value_stride);
	unsigned long entries = 0;
	for (void *from = NULL; !bpf_map_get_next_key(fd, from, next); from = key) {
		void *swap = key;
		key = next;
		next = swap;
		if (!bpf_map_lookup_elem(fd, key, value))
			entries++;
	}
	if (errno != ENOENT)
		fail("bpf_map_get_next_key");
	free(key);
	free(next);
	free(value);
	return entries;
}

static double seconds(const struct timespec *time) { return time->tv_sec + time->tv_nsec / 1e9; }

int main(int argc, char **argv)
{
	if (argc < 3 || (strcmp(argv[1], "batch") && strcmp(argv[1], "element"))) {
		fprintf(stderr, "usage: read-map batch|element PIN [TIMES]\n");
		return 2;
	}
	fd = bpf_obj_get(argv[2]);
	if (fd < 0)
		fail(argv[2]);
	__u32 size = sizeof info;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		fail("bpf_obj_get_info_by_fd");
	int per_cpu = info.type == BPF_MAP_TYPE_PERCPU_HASH || info.type == BPF_MAP_TYPE_PERCPU_ARRAY
		|| info.type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	value_stride = per_cpu ? (info.value_size + 7) / 8 * 8 * libbpf_num_possible_cpus() : info.value_size;

	for (int times = argc > 3 ? atoi(argv[3]) : 1; times > 0; times--) {
		struct timespec start, end, start_cpu, end_cpu;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start_cpu);
		clock_gettime(CLOCK_MONOTONIC, &start);
		unsigned long entries = strcmp(argv[1], "batch") ? read_by_element() : read_by_batch();
		clock_gettime(CLOCK_MONOTONIC, &end);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end_cpu);
		printf("%lu %.6f %.6f\n", entries, seconds(&end) - seconds(&start), seconds(&end_cpu) - seconds(&start_cpu));
	}
	return 0;
}
