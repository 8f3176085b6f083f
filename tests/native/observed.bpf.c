// The programs that tests/observer.sh counts the runs of.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct observed {
	__u64 runs;
	__u32 pid; // of the thread whose wake-ups count
};

struct observed observed;

static __always_inline int count(void)
{
	__sync_fetch_and_add(&observed.runs, 1);
	return 0;
}

SEC("perf_event")
int on_perf_event(void *context)
{
	return count();
}

// The start of /sys/kernel/tracing/events/sched/sched_waking/format.
struct sched_waking {
	__u64 common;
	char comm[16];
	__s32 pid;
};

SEC("tracepoint/sched/sched_waking")
int on_tracepoint(struct sched_waking *context)
{
	return context->pid == observed.pid ? count() : 0;
}

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

SEC("kprobe/try_to_wake_up")
int on_kprobe(struct pt_regs *context)
{
	struct task_struct *task = (struct task_struct *)PT_REGS_PARM1(context);
	return BPF_CORE_READ(task, pid) == observed.pid ? count() : 0;
}

SEC("xdp")
int on_xdp(struct xdp_md *context)
{
	struct ethhdr *frame = (void *)(long)context->data;
	if ((void *)(frame + 1) <= (void *)(long)context->data_end && frame->h_source[0] == 2 && frame->h_source[5] == 1) {
		count();
	}
	return XDP_DROP;
}
