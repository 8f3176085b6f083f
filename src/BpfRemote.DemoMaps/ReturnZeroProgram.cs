using BpfRemote.DemoMaps.Interop;
using Microsoft.Win32.SafeHandles;
using Native = BpfRemote.DemoMaps.Interop.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary>A socket filter that does nothing: for maps that hold programs, and for maps that programs hold.</summary>
public sealed unsafe class ReturnZeroProgram : IDisposable
{
    private const uint BPF_PROG_TYPE_SOCKET_FILTER = 1;
    private const byte BPF_LD_IMM_DW = 0x18;
    private const byte BPF_ALU64_MOV_K = 0xb7;
    private const byte BPF_JMP_EXIT = 0x95;
    private const byte R1FromPseudoMapFd = 1 << 4 | 1;

    private ReturnZeroProgram(SafeFileHandle handle, string name)
    {
        Handle = handle;
        Id = KernelCall.IdOf(handle, $"program {name}");
    }

    public uint Id { get; }

    /// <summary>The program's file descriptor, owned by this object.</summary>
    public SafeFileHandle Handle { get; }

    /// <param name="name">At most 15 bytes.</param>
    /// <param name="uses">A map that the program refers to, and so holds while it is loaded.</param>
    public static ReturnZeroProgram Load(string name, WritableMap? uses = null)
    {
        using HandleUse map = new(uses?.Handle);
        ReadOnlySpan<bpf_insn> loadMap = uses is null
            ? []
            : [new() { code = BPF_LD_IMM_DW, regs = R1FromPseudoMapFd, imm = (int)map.FileDescriptor }, default];
        ReadOnlySpan<bpf_insn> program = [.. loadMap, new() { code = BPF_ALU64_MOV_K }, new() { code = BPF_JMP_EXIT }];

        // SAFETY: libbpf reads program.Length instructions during the call and keeps no pointer.
        fixed (bpf_insn* instructions = program)
        {
            SafeFileHandle handle = KernelCall.Opened(
                Native.bpf_prog_load(
                    BPF_PROG_TYPE_SOCKET_FILTER, name, "Dual BSD/GPL", instructions, (nuint)program.Length, null),
                nameof(Native.bpf_prog_load),
                $"program {name}");
            return new(handle, name);
        }
    }

    public void Dispose() => Handle.Dispose();
}
