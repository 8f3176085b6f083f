using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary><c>settings</c>: an array of what a BPF program's owner configures.</summary>
internal static class Settings
{
    private static readonly (string Name, bool Enabled, uint Limit)[] Content =
    [
        ("syn_cookies", true, 0),
        ("new_conn_rate", true, 20_000),
        ("conn_per_client", true, 512),
        ("udp_rate", false, 100_000),
        ("icmp_rate", true, 100),
        ("log_sampling", false, 1_000),
        ("mirror", false, 0),
        ("drain", false, 0),
    ];

    internal static WritableMap Create()
    {
        WritableMap map = CreateMap();
        for (uint index = 0; index < Content.Length; index++)
        {
            (string name, bool enabled, uint limit) = Content[index];
            Setting setting = new() { Enabled = enabled ? (byte)1 : (byte)0, Limit = limit };
            Encoding.ASCII.GetBytes(name, setting.Name);
            map.Update(
                MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in index)), MemoryMarshal.AsBytes(new ReadOnlySpan<Setting>(in setting)));
        }

        return map;
    }

    private static unsafe WritableMap CreateMap()
    {
        using BtfBuilder btf = new();
        CTypes c = new(btf);
        uint value = btf.Struct("setting", ("enabled", c.Bool), ("limit", c.U32), ("name", c.Array(c.Char, sizeof(Name))));
        uint key = c.U32;
        using var loaded = btf.Load();
        return WritableMap.Create(new()
        {
            Type = BpfMapType.Array,
            Name = "settings",
            KeySize = sizeof(uint),
            ValueSize = (uint)sizeof(Setting),
            MaxEntries = (uint)Content.Length,
            Btf = loaded,
            BtfKeyTypeId = key,
            BtfValueTypeId = value,
        });
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Setting
    {
        public byte Enabled;
        public uint Limit;
        public Name Name;
    }

    [InlineArray(16)]
    private struct Name
    {
        private byte _first;
    }
}
