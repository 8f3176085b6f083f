// Counts the runs of one eBPF program while something happens a thousand times a second, for tests/observer.sh.
//
//   observer maps DIRECTORY                                  makes the map that is read: DIRECTORY/full
//   observer perf_event|tracepoint|kprobe OBJECT CPU SECONDS
//   observer xdp OBJECT CPU SECONDS                          over the pair of devices bpfremote0, bpfremote1
//
// Prints the runs for each time that the program should have run.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000L
#define SECOND 1000000000L

struct observed {
	__u64 runs;
	__u32 pid;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void make_map(const char *directory, const char *name, __u32 max_entries, __u64 entries)
{
	enum { BATCH = 1000 };
	static __u64 keys[BATCH];
	char path[256];
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, name, sizeof(__u64), sizeof(__u64), max_entries, &options);
	if (map < 0)
		fail("bpf_map_create");
	for (__u64 key = 0; key < entries;) {
		__u32 count = BATCH;
		for (int i = 0; i < BATCH; i++)
			keys[i] = key++;
		if (bpf_map_update_batch(map, keys, keys, &count, NULL))
			fail("bpf_map_update_batch");
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (bpf_obj_pin(map, path))
		fail("bpf_obj_pin");
}

static long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

// Sleeps until the next whole millisecond: every call is one wake-up by the timer of this CPU.
static void tick(void)
{
	long next = (now() / MILLISECOND + 1) * MILLISECOND;
	struct timespec time = { next / SECOND, next % SECOND };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
	}
}

static void move_to(int cpu)
{
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		fail("sched_setaffinity");
}

static int open_clock(int cpu)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = MILLISECOND,
	};
	int event = syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		fail("perf_event_open");
	return event;
}

// A frame of UDP, so that it has a hash by which it is steered to a CPU.
static const unsigned char frame[64] = {
	[0] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
	[14] = 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
	[34] = 0x10, 0x01, 0x10, 0x02, 0, 30,
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "maps")) {
		make_map(argv[2], "full", 1000000, 1000000);
		return 0;
	}
	if (argc != 5) {
		fprintf(stderr, "usage: observer maps DIRECTORY | observer perf_event|tracepoint|kprobe|xdp OBJECT CPU SECONDS\n");
		return 2;
	}
	const char *kind = argv[1];
	int cpu = atoi(argv[3]);
	long duration = atoi(argv[4]) * SECOND;
	int is_xdp = !strcmp(kind, "xdp"), is_perf = !strcmp(kind, "perf_event");

	char name[32];
	snprintf(name, sizeof(name), "on_%s", kind);

	struct bpf_object *object = bpf_object__open_file(argv[2], NULL);
	if (!object)
		fail(argv[2]);
	struct bpf_program *program;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	if (bpf_object__load(object))
		fail("bpf_object__load");
	program = bpf_object__find_program_by_name(object, name);
	int counter = bpf_object__find_map_fd_by_name(object, ".bss");
	if (!program || counter < 0)
		fail(kind);
	__u32 key = 0;
	struct observed observed = { .pid = getpid() };
	if (bpf_map_update_elem(counter, &key, &observed, BPF_ANY))
		fail("bpf_map_update_elem");

	int receiver = if_nametoindex("bpfremote1"), sender = -1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("bpfremote0"), .sll_halen = 6 };
	if (is_xdp) {
		if (bpf_xdp_attach(receiver, bpf_program__fd(program), XDP_FLAGS_SKB_MODE, NULL))
			fail("bpf_xdp_attach");
		sender = socket(AF_PACKET, SOCK_RAW, 0);
		if (sender < 0)
			fail("socket");
		move_to(cpu > 0 ? cpu - 1 : cpu); // the frames are steered to the CPU
	} else {
		if (!(is_perf ? bpf_program__attach_perf_event(program, open_clock(cpu)) : bpf_program__attach(program)))
			fail("bpf_program__attach");
		move_to(is_perf && cpu > 0 ? cpu - 1 : cpu);
	}

	tick();
	bpf_map_lookup_elem(counter, &key, &observed);
	__u64 before = observed.runs;
	long start = now(), times = 0;
	for (; now() - start < duration; times++) {
		tick();
		if (is_xdp && sendto(sender, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			fail("sendto");
	}
	double expected = is_perf ? (double)(now() - start) / MILLISECOND : times;
	if (is_xdp)
		usleep(50000); // what is under way
	bpf_map_lookup_elem(counter, &key, &observed);
	if (is_xdp)
		bpf_xdp_detach(receiver, XDP_FLAGS_SKB_MODE, NULL);
	printf("%.4f\n", (observed.runs - before) / expected);
	return 0;
}
