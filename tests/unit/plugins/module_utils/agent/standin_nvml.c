// SPDX-License-Identifier: MIT
// A stand-in for NVIDIA's libnvidia-ml.so.1 where there is no GPU: the same functions, and two GPUs, of which the second
// has no energy counter and is held back by its temperature. Power is 100 W and 50 W, so the energy counter of the
// first grows by 100 J a second. Signatures: nvml.h, NVML API Reference Manual.
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3 };
typedef struct { unsigned index; } gpu;
typedef struct { unsigned gpu, memory; } utilization;
typedef struct { unsigned long long total, free, used; } memory;
static gpu gpus[2] = {{0}, {1}};

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == NOT_SUPPORTED ? "Not Supported" : "Invalid Argument"; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "570.00-standin"); return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu **device) {
  if (index > 1) return INVALID_ARGUMENT;
  *device = &gpus[index];
  return SUCCESS;
}
int nvmlDeviceGetUUID(gpu *device, char *text, unsigned size) {
  snprintf(text, size, "GPU-%04u", device->index);
  return SUCCESS;
}
int nvmlDeviceGetName(gpu *device, char *text, unsigned size) {
  snprintf(text, size, "stand-in %u", device->index);
  return SUCCESS;
}
int nvmlDeviceGetEnforcedPowerLimit(gpu *device, unsigned *milliwatts) { *milliwatts = 400000; return SUCCESS; }
int nvmlDeviceGetUtilizationRates(gpu *device, utilization *rates) {
  rates->gpu = 75;
  rates->memory = 40;
  return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(gpu *device, memory *found) {
  found->total = 40ULL << 30;
  found->used = 30ULL << 30;
  found->free = 10ULL << 30;
  return SUCCESS;
}
int nvmlDeviceGetPowerUsage(gpu *device, unsigned *milliwatts) {
  *milliwatts = device->index ? 50000 : 100000;
  return SUCCESS;
}
int nvmlDeviceGetTotalEnergyConsumption(gpu *device, unsigned long long *millijoules) {
  if (device->index) return NOT_SUPPORTED;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  // since the start of a day, so that a double keeps every millijoule
  *millijoules = 100ULL * ((now.tv_sec % 86400) * 1000ULL + now.tv_nsec / 1000000);
  return SUCCESS;
}
int nvmlDeviceGetClockInfo(gpu *device, unsigned kind, unsigned *megahertz) {
  *megahertz = kind == 1 ? 1410 : 1215;
  return SUCCESS;
}
int nvmlDeviceGetTemperature(gpu *device, unsigned sensor, unsigned *celsius) { *celsius = 61; return SUCCESS; }
int nvmlDeviceGetCurrentClocksThrottleReasons(gpu *device, unsigned long long *reasons) {
  *reasons = device->index ? 0x24 : 0x1;
  return SUCCESS;
}
