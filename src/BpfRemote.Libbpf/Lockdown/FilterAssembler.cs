using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf.Lockdown;

/// <summary>Writes a seccomp filter: classic BPF that loads words of <c>struct seccomp_data</c>, compares and returns.</summary>
internal sealed class FilterAssembler
{
    private const ushort LoadWord = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort JumpIfAtLeast = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    private const ushort JumpIfAnyBit = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private const ushort ReturnConstant = 0x06; // BPF_RET | BPF_K

    private readonly List<sock_filter> _code = [];

    /// <summary>The filter written so far.</summary>
    internal sock_filter[] Code => [.. _code];

    /// <summary>Loads 4 bytes of <c>struct seccomp_data</c>.</summary>
    internal void Load(uint offset) => _code.Add(new() { code = LoadWord, k = offset });

    /// <summary>Ends with an action.</summary>
    internal void Return(uint action) => _code.Add(new() { code = ReturnConstant, k = action });

    /// <summary>Goes through a block, which returns, where the loaded word is the value.</summary>
    internal void WhenEqual(uint value, Action<FilterAssembler> block) => When(JumpIfEqual, value, block);

    /// <summary>Ends with an action where the loaded word is the value.</summary>
    internal void WhenEqual(uint value, uint action) => When(JumpIfEqual, value, block => block.Return(action));

    /// <summary>Ends with an action where the loaded word, unsigned, is the value or above.</summary>
    internal void WhenAtLeast(uint value, uint action) => When(JumpIfAtLeast, value, block => block.Return(action));

    /// <summary>Ends with an action where the loaded word has a bit of the mask.</summary>
    internal void WhenAnyBit(uint mask, uint action) => When(JumpIfAnyBit, mask, block => block.Return(action));

    /// <summary>Ends with an action where the loaded word is not the value.</summary>
    internal void UnlessEqual(uint value, uint action)
    {
        _code.Add(new() { code = JumpIfEqual, k = value, jt = 1 });
        Return(action);
    }

    private void When(ushort jump, uint value, Action<FilterAssembler> write)
    {
        FilterAssembler block = new();
        write(block);
        _code.Add(new() { code = jump, k = value, jf = checked((byte)block._code.Count) });
        _code.AddRange(block._code);
    }
}
