using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using BpfRemote.Benchmarks;

if (args is ["allocations", var pin, var load])
{
    await AgentAllocations.MeasureAsync(pin, load);
    return;
}

// In this process: a project that BenchmarkDotNet makes would be held to this repository's analysis.
IConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default);
BenchmarkSwitcher.FromAssembly(typeof(TokenBenchmarks).Assembly).Run(args, config);
