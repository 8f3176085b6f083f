// Makes, fills and pins a map as a program in use would leave it.
//
//   make-map TYPE KEY_SIZE VALUE_SIZE MAX_ENTRIES ENTRIES PIN [typed]
//
// Keys are scattered as addresses and ports are, so that a hash spreads them over its buckets and its memory; values are counters
// that differ. `typed` gives a (16, 32) map the BTF of a connection table.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 };

static const struct {
	const char *name;
	enum bpf_map_type type;
} types[] = {
	{ "hash", BPF_MAP_TYPE_HASH },
	{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH },
	{ "array", BPF_MAP_TYPE_ARRAY },
	{ "lpm_trie", BPF_MAP_TYPE_LPM_TRIE },
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "make-map: %s: %s\n", what, strerror(errno));
	exit(1);
}

// Every number has another one, and neighbours are far apart.
static __u64 scatter(__u64 number)
{
	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}

// scatter() on 32 bits.
static __u32 scatter32(__u32 number)
{
	number = (number ^ number >> 16) * 0x7feb352d;
	number = (number ^ number >> 15) * 0x846ca68b;
	return number ^ number >> 16;
}

static void write_key(enum bpf_map_type type, __u8 *key, __u32 size, __u32 number)
{
	memset(key, 0, size);
	if (type == BPF_MAP_TYPE_ARRAY) {
		memcpy(key, &number, sizeof number);
	} else if (type == BPF_MAP_TYPE_LPM_TRIE) {
		__u32 length = 32, address = scatter32(number);
		memcpy(key, &length, sizeof length);
		memcpy(key + sizeof length, &address, sizeof address);
	} else if (size < sizeof(__u64)) {
		__u32 scattered = scatter32(number);
		memcpy(key, &scattered, sizeof scattered);
	} else {
		// A connection: source address, destination address, ports, protocol.
		__u64 scattered = scatter(number);
		memcpy(key, &scattered, sizeof scattered);
		if (size >= 13) {
			__u32 ports = htonl((__u32)(32768 + scattered % 28000) << 16 | 443);
			memcpy(key + 8, &ports, sizeof ports);
			key[12] = 6;
		}
	}
}

static void write_value(__u8 *value, __u32 size, __u32 number)
{
	for (__u32 i = 0; i < size; i += 8) {
		__u64 counter = scatter(number + i) >> (i % 16 ? 28 : 44);
		memcpy(value + i, &counter, size - i < 8 ? size - i : 8);
	}
}

// struct conn { u32 saddr, daddr; u16 sport, dport; u8 proto; u8 pad[3]; } and struct stats { u64 packets, bytes, last_seen_ns, errors; }
static void add_types(struct bpf_map_create_opts *options)
{
	struct btf *btf = btf__new_empty();
	int u8 = btf__add_int(btf, "unsigned char", 1, 0), u16 = btf__add_int(btf, "unsigned short", 2, 0);
	int u32 = btf__add_int(btf, "unsigned int", 4, 0), u64 = btf__add_int(btf, "unsigned long long", 8, 0);
	int pad = btf__add_array(btf, u32, u8, 3);
	options->btf_key_type_id = btf__add_struct(btf, "conn", 16);
	btf__add_field(btf, "saddr", u32, 0, 0);
	btf__add_field(btf, "daddr", u32, 32, 0);
	btf__add_field(btf, "sport", u16, 64, 0);
	btf__add_field(btf, "dport", u16, 80, 0);
	btf__add_field(btf, "proto", u8, 96, 0);
	btf__add_field(btf, "pad", pad, 104, 0);
	options->btf_value_type_id = btf__add_struct(btf, "stats", 32);
	btf__add_field(btf, "packets", u64, 0, 0);
	btf__add_field(btf, "bytes", u64, 64, 0);
	btf__add_field(btf, "last_seen_ns", u64, 128, 0);
	btf__add_field(btf, "errors", u64, 192, 0);
	if (btf__load_into_kernel(btf))
		fail("btf__load_into_kernel");
	options->btf_fd = btf__fd(btf);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: make-map TYPE KEY_SIZE VALUE_SIZE MAX_ENTRIES ENTRIES PIN [typed]\n");
		return 2;
	}
	enum bpf_map_type type = BPF_MAP_TYPE_UNSPEC;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(argv[1], types[i].name))
			type = types[i].type;
	__u32 key_size = atoi(argv[2]), value_size = atoi(argv[3]), max_entries = atoi(argv[4]), entries = atoi(argv[5]);
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);
	if (argc > 7)
		add_types(&options);
	int fd = bpf_map_create(type, "bench", key_size, value_size, max_entries, &options);
	if (fd < 0)
		fail("bpf_map_create");

	__u32 stride = type == BPF_MAP_TYPE_PERCPU_HASH ? (value_size + 7) / 8 * 8 * libbpf_num_possible_cpus() : value_size;
	__u8 *keys = malloc((size_t)BATCH * key_size), *values = malloc((size_t)BATCH * stride);
	if (!keys || !values)
		fail("malloc");
	for (__u32 done = 0; done < entries;) {
		__u32 count = entries - done < BATCH ? entries - done : BATCH;
		for (__u32 i = 0; i < count; i++) {
			write_key(type, keys + (size_t)i * key_size, key_size, done + i);
			write_value(values + (size_t)i * stride, stride, done + i);
		}
		if (bpf_map_update_batch(fd, keys, values, &count, NULL))
			fail("bpf_map_update_batch");
		done += count;
	}
	if (bpf_obj_pin(fd, argv[6]))
		fail(argv[6]);
	return 0;
}
