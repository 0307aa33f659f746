/* An LV2 effect for tests of the host: a gain that is no control port but part of its state, in a file that it writes. Also a preset sets it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the headers of LV2 (core, urid, state), which are not needed to build it. */
typedef struct { const char* uri; void* data; } Feature;
typedef struct Descriptor {
    const char* uri;
    void* (*instantiate)(const struct Descriptor*, double, const char*, const Feature* const*);
    void (*connect_port)(void*, uint32_t, void*);
    void (*activate)(void*);
    void (*run)(void*, uint32_t);
    void (*deactivate)(void*);
    void (*cleanup)(void*);
    const void* (*extension_data)(const char*);
} Descriptor;
typedef struct { void* handle; uint32_t (*map)(void*, const char*); } Map;
typedef struct { void* handle; char* (*path)(void*, const char*); } MakePath;
typedef struct { void* handle; char* (*abstract_path)(void*, const char*); char* (*absolute_path)(void*, const char*); } MapPath;
typedef int (*Store)(void*, uint32_t key, const void* value, size_t size, uint32_t type, uint32_t flags);
typedef const void* (*Retrieve)(void*, uint32_t key, size_t* size, uint32_t* type, uint32_t* flags);
typedef struct {
    int (*save)(void*, Store, void*, uint32_t, const Feature* const*);
    int (*restore)(void*, Retrieve, void*, uint32_t, const Feature* const*);
} State;

typedef struct { Map* map; const float* in; float* out; float gain; } Keeper;

static void* find(const Feature* const* features, const char* uri) {
    for (; features != NULL && *features != NULL; ++features)
        if (strcmp((*features)->uri, uri) == 0)
            return (*features)->data;
    return NULL;
}

static void* instantiate(const Descriptor* descriptor, double rate, const char* bundle, const Feature* const* features) {
    Keeper* self = calloc(1, sizeof(Keeper));
    (void)descriptor, (void)rate, (void)bundle;
    self->map = find(features, "http://lv2plug.in/ns/ext/urid#map");
    self->gain = 1.0f;
    return self;
}

static void connect_port(void* handle, uint32_t port, void* data) {
    if (port == 0)
        ((Keeper*)handle)->in = data;
    else
        ((Keeper*)handle)->out = data;
}

static void run(void* handle, uint32_t frames) {
    Keeper* self = handle;
    for (uint32_t i = 0; i < frames; ++i)
        self->out[i] = self->gain * self->in[i];
}

static int save(void* handle, Store store, void* state, uint32_t flags, const Feature* const* features) {
    Keeper* self = handle;
    MakePath* make = find(features, "http://lv2plug.in/ns/ext/state#makePath");
    MapPath* map = find(features, "http://lv2plug.in/ns/ext/state#mapPath");
    (void)flags;
    if (make == NULL || map == NULL)
        return 5;
    char* path = make->path(make->handle, "gain.txt");
    FILE* file = fopen(path, "w");
    if (file == NULL)
        return 1;
    fprintf(file, "%f\n", self->gain);
    fclose(file);
    char* told = map->abstract_path(map->handle, path);
    const int error = store(state, self->map->map(self->map->handle, "urn:stemplay:keeper#file"), told, strlen(told) + 1,
                            self->map->map(self->map->handle, "http://lv2plug.in/ns/ext/atom#Path"), 3);
    free(told);
    free(path);
    return error;
}

static int restore(void* handle, Retrieve retrieve, void* state, uint32_t flags, const Feature* const* features) {
    Keeper* self = handle;
    MapPath* map = find(features, "http://lv2plug.in/ns/ext/state#mapPath");
    size_t size;
    uint32_t type;
    const char* told = retrieve(state, self->map->map(self->map->handle, "urn:stemplay:keeper#file"), &size, &type, &flags);
    if (told == NULL || map == NULL)
        return 5;
    char* path = map->absolute_path(map->handle, told);
    FILE* file = fopen(path, "r");
    free(path);
    if (file == NULL)
        return 1;
    if (fscanf(file, "%f", &self->gain) != 1)
        self->gain = 0.0f;
    fclose(file);
    return 0;
}

static const State interface = {save, restore};

static const void* extension_data(const char* uri) { return strcmp(uri, "http://lv2plug.in/ns/ext/state#interface") == 0 ? &interface : NULL; }

static const Descriptor descriptor = {"urn:stemplay:keeper", instantiate, connect_port, NULL, run, NULL, free, extension_data};

__attribute__((visibility("default"))) const Descriptor* lv2_descriptor(uint32_t index) { return index == 0 ? &descriptor : NULL; }
