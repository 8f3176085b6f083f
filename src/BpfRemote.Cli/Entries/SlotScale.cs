namespace BpfRemote.Cli.Entries;

/// <summary>What a histogram's slots count.</summary>
internal enum SlotScale
{
    /// <summary>The number of the slot itself.</summary>
    Linear,

    /// <summary>Values from 2^slot to below 2^(slot + 1), 0 with 1 in the first: bcc and libbpf-tools.</summary>
    Log2,

    /// <summary>Values below 0, 0, 1, then powers of two from 2 on: bpftrace's <c>hist()</c>.</summary>
    Bpftrace,
}
