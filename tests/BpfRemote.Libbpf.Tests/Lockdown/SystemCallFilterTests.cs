using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;
using BpfRemote.Libbpf.Lockdown;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Lockdown;

/// <summary>The filters of both architectures, run here as the kernel would.</summary>
public sealed class SystemCallFilterTests
{
    private const uint Allowed = 0x7fff_0000;
    private const uint Refused = 0x0005_0001; // EPERM
    private const uint DoesNotExist = 0x0005_0026; // ENOSYS
    private const uint X64 = 0xc000_003e;
    private const uint Arm64 = 0xc000_00b7;
    private const uint I386 = 0x4000_0003;
    private const Duties Server = Duties.ReadMaps | Duties.Serve;

    [Theory]
    [InlineData(Architecture.X64, X64, 321u, 24u, Allowed)] // bpf: LOOKUP_BATCH
    [InlineData(Architecture.X64, X64, 321u, 2u, Refused)] // bpf: UPDATE_ELEM
    [InlineData(Architecture.X64, X64, 0u, 0u, Allowed)] // read
    [InlineData(Architecture.X64, X64, 59u, 0u, Refused)] // execve
    [InlineData(Architecture.X64, X64, 435u, 0u, DoesNotExist)] // clone3
    [InlineData(Architecture.X64, X64, 56u, 0x003d_0f00u, Allowed)] // clone, as pthread_create calls it
    [InlineData(Architecture.X64, X64, 56u, 0x0120_0011u, Refused)] // clone, as fork calls it
    [InlineData(Architecture.X64, X64, 0x4000_0000u, 0u, Refused)] // x32
    [InlineData(Architecture.X64, X64, 470u, 0u, DoesNotExist)] // newer than the filter
    [InlineData(Architecture.X64, I386, 3u, 0u, Refused)] // int 0x80
    [InlineData(Architecture.X64, Arm64, 0u, 0u, Refused)]
    [InlineData(Architecture.Arm64, Arm64, 280u, 24u, Allowed)] // bpf
    [InlineData(Architecture.Arm64, Arm64, 280u, 2u, Refused)]
    [InlineData(Architecture.Arm64, Arm64, 63u, 0u, Allowed)] // read
    [InlineData(Architecture.Arm64, Arm64, 221u, 0u, Refused)] // execve
    [InlineData(Architecture.Arm64, Arm64, 220u, 0x003d_0f00u, Allowed)] // clone
    [InlineData(Architecture.Arm64, Arm64, 198u, 16u, Refused)] // socket: AF_NETLINK
    [InlineData(Architecture.Arm64, Arm64, 198u, 10u, Allowed)] // socket: AF_INET6
    [InlineData(Architecture.Arm64, X64, 0u, 0u, Refused)]
    public void A_call_is_judged(Architecture written, uint architecture, uint number, uint argument, uint action) =>
        Assert.Equal(action, Run(SystemCallFilter.Write(Server, written), number, architecture, argument));

    [Fact]
    public void Every_refused_call_is_refused_on_both_architectures() => Assert.All(SystemCall.NeverMade, call =>
    {
        Assert.Equal(Refused, Run(SystemCallFilter.Write(Server, Architecture.X64), call.X64, X64, 0));
        if (call.Arm64 is { } number)
        {
            Assert.Equal(Refused, Run(SystemCallFilter.Write(Server, Architecture.Arm64), number, Arm64, 0));
        }
    });

    /// <summary>Interprets the instructions that the filters consist of.</summary>
    private static uint Run(sock_filter[] code, uint number, uint architecture, uint argument)
    {
        uint loaded = 0;
        for (int i = 0; ; i++)
        {
            sock_filter instruction = code[i];
            bool? jump = null;
            switch (instruction.code)
            {
                case 0x06:
                    return instruction.k;
                case 0x20:
                    loaded = instruction.k switch { 0 => number, 4 => architecture, 16 => argument, _ => throw new InvalidOperationException() };
                    break;
                case 0x15:
                    jump = loaded == instruction.k;
                    break;
                case 0x35:
                    jump = loaded >= instruction.k;
                    break;
                case 0x45:
                    jump = (loaded & instruction.k) != 0;
                    break;
                default:
                    throw new InvalidOperationException($"instruction {instruction.code:x}");
            }

            i += jump switch { true => instruction.jt, false => instruction.jf, null => 0 };
        }
    }
}
